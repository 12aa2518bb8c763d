"""What an operator's tools need: the settings of a service, and where the services are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from shared.clients.settings import VendorSettings

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def _addresses(text: str) -> str:
    for each in filter(None, (part.strip() for part in text.split(","))):
        name, equals, url = each.partition("=")
        place = urlsplit(url)
        if not _NAME.fullmatch(name) or not equals or place.scheme not in ("http", "https") or not place.hostname:
            raise ValueError(f"{each!r} is not name=http://host:port; separate several with commas")
    return text


class OpsSettings(VendorSettings):
    """Read by `tandem doctor` and `tandem support-bundle`."""

    service_urls: Annotated[str, AfterValidator(_addresses)] = ""
    """Where the services answer /healthz, for `tandem doctor`: name=http://host:port, several separated by commas."""
    doctor_timeout_s: float = Field(default=10.0, gt=0)
    """How long one check of `tandem doctor` may take."""

    def services(self) -> Mapping[str, str]:
        """Return addresses by name."""
        parts = (part.strip().partition("=") for part in self.service_urls.split(",") if part.strip())
        return {name: url.rstrip("/") for name, _, url in parts}


_NOT_READ: Final = frozenset({"kafka_create_topics", "kafka_replication_factor", "kafka_session_timeout_s"})
READ: Final = frozenset(
    {
        *(name for name in OpsSettings.model_fields if name.startswith("kafka_") and name not in _NOT_READ),
        *("topic_prefix", "database_url", "secret_key", "allowed_internal_addresses", "plain_http_hosts"),
        *("service_urls", "doctor_timeout_s", "build_revision"),
    }
)
"""What these tools make use of; the rest is there because services have it."""
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "kafka_bootstrap": "unset:9092",
    "database_url": "postgresql://unset/unset",
    "secret_key": "A" * 43 + "=",
}
"""What stands for a setting that is wrong or missing, so that all else can be looked at."""
