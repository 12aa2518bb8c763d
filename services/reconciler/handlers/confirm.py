"""Telling a deletion from what only looks like one: "not found" is what a vendor also answers to who may not see.

Called by every duty that reads items by id.
"""

from __future__ import annotations

from services.reconciler.handlers.directory import Post


class Unconfirmed(Exception):
    """An item was not found, but that proves nothing. The words say why; the item is looked for again later."""


async def confirm_gone(post: Post, container: str | None) -> None:
    """Return if a "not found" of a moment ago means that the item is gone; raise `Unconfirmed` if it does not.

    It does when the credentials work, belong to whom they should, and show the project or workspace that the item was
    in (None: not known, then the credentials alone decide). Raises `VendorError` when the vendor cannot be asked.
    """
    account = await post.eyes.whoami()
    expected = post.connection.account_id
    if expected is not None and account.id != expected:
        raise Unconfirmed(f"the credentials belong to {account.id}, not to {expected}")
    if container is not None and not await post.eyes.container_visible(container):
        raise Unconfirmed(f"{container} is not visible to {account.name}")
