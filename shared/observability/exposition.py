"""The metrics of a service as Prometheus reads them. Called by `shared.runtime.service`.

A scraper that asks for OpenMetrics gets it: exemplars exist only there, the plain text format has no place for them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from shared.observability.catalogue import CATALOGUE
from shared.observability.catalogue.process import BUILD
from shared.observability.labels import EVERYWHERE

_PACKAGE: Final = "tandem-sync"
_PROCESS: Final = ProcessCollector(registry=None)
"""The client library's own: CPU, memory and open files of the process, by the names that every library gives them."""


class _Of(Collector):
    """What one service shows, in the order of the catalogue. A service of no known name shows all."""

    def __init__(self, component: str) -> None:
        self._component = component

    def collect(self) -> Iterator[Metric]:
        """Return the families."""
        for metric in CATALOGUE:
            if self._component in metric.shown_by or self._component not in EVERYWHERE:
                yield from metric.collect()
        yield from _PROCESS.collect()


def exposition(component: str, accept: str) -> tuple[bytes, str]:
    """Return the metrics of a service, and their content type, in the best format that `accept` names."""
    encode, content_type = choose_encoder(accept)
    return encode(_Of(component)), content_type


def show_build(component: str, *, revision: str, schema: str) -> None:
    """Show which build this process runs. `revision` is the commit, if the build says; `schema` the newest migration
    that it knows.
    """
    BUILD.show({(component, _version(), revision or "unknown", schema, platform.python_version()): 1})


def _version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "from source"
