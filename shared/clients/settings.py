"""The settings of every service that asks vendors: which addresses it may ask beyond public ones over https."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from shared.clients.egress import Egress, internal_network
from shared.domain.site import site_of
from shared.runtime.settings import ServiceSettings


def _networks(text: str) -> str:
    return ",".join(str(internal_network(each)) for each in _listed(text))


def _hosts(text: str) -> str:
    hosts = []
    for each in _listed(text):
        try:
            host = site_of(f"http://[{each}]" if each.count(":") > 1 else f"http://{each}").host
        except ValueError:
            host = ""
        if host != each.lower():
            raise ValueError(f"{each!r} is no name of a host; write it without http:// and port")
        hosts.append(host)
    return ",".join(hosts)


class VendorSettings(ServiceSettings):
    """Both are lists, separated by commas, and empty by default."""

    allowed_internal_addresses: Annotated[str, AfterValidator(_networks)] = ""
    """Internal networks that connections may lead to, as in `10.20.0.0/16`. No entry opens more than one kind of
    network, and a cloud's metadata only opens to its very address."""
    plain_http_hosts: Annotated[str, AfterValidator(_hosts)] = ""
    """Hosts that may be asked over http; all others by https only."""

    def egress(self) -> Egress:
        """Return what may be asked."""
        return Egress(
            allowed=tuple(internal_network(each) for each in _listed(self.allowed_internal_addresses)),
            plain_http_hosts=frozenset(_listed(self.plain_http_hosts)),
        )


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
