"""Whether stored credentials may be used for what an admin wants to save, and what is kept of them. Pure."""

from __future__ import annotations

from typing import Any

from services.console.domain.drafts import SecretsDraft
from services.console.domain.problems import Fault, invalid
from shared.domain.binding import Binding
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.domain.site import origin_of
from shared.store.port import CredentialsUnreadable

_NAMES = {"token": "", "webhook_secrets": ", or [] if there were none", "url_token": ", or null if there was none"}


class Withheld(Exception):
    """A save that would have sent credentials where they may not go. Nothing was sent; the try is put on record.

    `fault` is for whoever tried, `tried` for the audit trail.
    """

    def __init__(self, fault: Fault, tried: str) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.tried = tried


def forbidden(wanted: Connection, words: str) -> Withheld:
    """Return the refusal of an address that we may not ask, in the words of `shared.clients.egress`."""
    return Withheld(Fault(path="url", message=words), f"the address {origin_of(wanted.url)}, which Tandem may not ask")


def check_moves(old: Connection, wanted: Connection, given: SecretsDraft | None) -> None:
    """Raise `Withheld` for a save that would take the stored token to another address or account.

    Whoever knows the token may send it anywhere; whoever does not may not have us do it.
    """
    if given is not None and given.token is not None:
        return
    before, after = Binding.of(old), Binding.of(wanted)
    if before == after:
        return
    what = "address" if before.origin != after.origin else "account"
    was, now = (before.origin, after.origin) if what == "address" else (before.account, after.account)
    raise Withheld(
        Fault(
            path="secrets.token",
            message=f"has to be entered again with a new {what}: the stored one was given for {was or 'no account'} "
            "and is sent nowhere else",
        ),
        f"to have the stored token used for the {what} {now or '(none)'}",
    )


def merged(given: SecretsDraft | None, stored: ConnectionSecrets | CredentialsUnreadable | None) -> ConnectionSecrets:
    """Return the stored credentials with the given ones put over them. Raises a 422 for what is missing.

    Where the stored ones do not open, nothing of them can be kept: all have to be said.
    """
    named: dict[str, Any] = given.model_dump(exclude_unset=True) if given is not None else {}
    if isinstance(stored, CredentialsUnreadable):
        lost = [name for name in _NAMES if name not in named or (name == "token" and named[name] is None)]
        if lost:
            raise invalid(
                *(
                    Fault(
                        path=f"secrets.{name}", message=f"the stored one cannot be opened; enter it again{_NAMES[name]}"
                    )
                    for name in lost
                )
            )
        stored = None
    kept: dict[str, Any] = stored.model_dump() if stored is not None else {}
    for name in ("token", "webhook_secrets"):
        if named.get(name) is None:
            named.pop(name, None)
    result = {**kept, **named}
    if "token" not in result:
        raise invalid(Fault(path="secrets.token", message="is missing; none is stored for this connection"))
    return ConnectionSecrets(**result)
