"""Names of the mapper's own metrics, in one typed place. Labels have few values: never an item, a link or a person."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

REHEARSED: Final = Counter(
    "tandem_rehearsals_total", "Items of dry runs that were played, by what would become of them.", ["outlook"]
)
