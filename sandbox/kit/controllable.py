"""What the control surface needs of a site beyond answering requests: who called, and which tokens are good.

Implemented by `sandbox.jira` and `sandbox.craft`, called by `sandbox.kit.server` and by whoever wires faults.
"""

from __future__ import annotations

from typing import Protocol

from sandbox.kit.site import Site, SiteRequest


class ControllableSite(Site, Protocol):
    """A site whose callers can be named and whose tokens can be taken away and given back."""

    def who(self, request: SiteRequest) -> str:
        """Return a name for the caller that is safe to show (never the credential); '' when nobody known calls."""
        ...

    def revoke_token(self, token: str) -> None:
        """Make the vendor refuse this token from now on. Idempotent. Raises KeyError when it never had the token."""
        ...

    def restore_token(self, token: str) -> None:
        """Make a revoked token good again. Idempotent. Raises KeyError when the vendor never had it."""
        ...
