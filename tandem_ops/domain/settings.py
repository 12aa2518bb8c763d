"""What is wrong with the environment: names that mean nothing, secrets that can be guessed. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from shared.domain.webhook_secret import weakness
from tandem_ops.domain.report import Finding, warning

PREFIX: Final = "TANDEM_"
ELSEWHERE: Final = frozenset({"TANDEM_CACHE_DIR", "TANDEM_MAVEN_URL"})
"""Of the local stack."""
_OF_KUBERNETES: Final = re.compile(
    r"TANDEM_\w*?(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_LINK: Final = re.compile(r"(tcp|udp|sctp)://")


def unknown_settings(environment: Mapping[str, str], known: Collection[str]) -> Iterator[Finding]:
    """Find variables that look like settings of ours and are none."""
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known or name in ELSEWHERE or _kubernetes(name, environment[name]):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        hint = f" Is {near[0]} meant?" if near else ""
        yield warning("settings", "a TANDEM_ variable is set that means nothing", f"Take it away.{hint}", name)


def _kubernetes(name: str, value: str) -> bool:
    """Tell what Kubernetes sets in every pod for a Service whose name begins with tandem-."""
    return bool(_OF_KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and _LINK.match(value)))


def weak_secrets(secrets: Mapping[str, str]) -> Iterator[Finding]:
    """Find passwords and tokens that can be guessed; by setting, with the words of its owner."""
    for name, secret in secrets.items():
        why = weakness(secret)
        if why is not None:
            yield warning("settings", f"{name} {why.partition(';')[0]}", "Make a random one: `openssl rand -hex 32`.")
