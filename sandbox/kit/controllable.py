"""What the control surface needs of a site beyond answering requests: callers, tokens, settings, scenes.

Implemented by `sandbox.jira` and `sandbox.craft`, called by `sandbox.kit.server` and by whoever wires faults.
"""

from __future__ import annotations

from typing import Protocol

from sandbox.kit.site import Site, SiteRequest


class ControllableSite(Site, Protocol):
    """A site whose callers can be named, whose tokens can be revoked, and that can be set and seeded."""

    def who(self, request: SiteRequest) -> str:
        """Return a name for the caller that is safe to show (never the credential); '' when nobody known calls."""
        ...

    def revoke_token(self, token: str) -> None:
        """Make the vendor refuse this token from now on. Idempotent. Raises KeyError when it never had the token."""
        ...

    def restore_token(self, token: str) -> None:
        """Make a revoked token good again. Idempotent. Raises KeyError when the vendor never had it."""
        ...

    def apply_settings(self, data: object) -> object:
        """Change the site's settings from JSON and return them all. Raises ValueError with words for bad input."""
        ...

    def seed_scene(self, data: object) -> object:
        """Add what a scene in JSON names and return the ids by name. Raises ValueError with words for bad input."""
        ...
