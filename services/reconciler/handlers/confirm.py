"""What a "not found" means: a vendor gives the same answer for what was deleted and for what our account may not see.

Called by every duty that reads items by id. In Jira the two cannot be told apart by asking on: the item is called
hidden, and the mapper, which knows whether anything has told of a deletion, says which it was. Craft.io hides no single
item of a workspace (docs/assumptions.md).
"""

from __future__ import annotations

from services.reconciler.handlers.directory import Post
from shared.domain.ids import Side
from shared.messages.change import ChangeKind


class Unconfirmed(Exception):
    """An item was not found, but that proves nothing. The words say why; the item is looked for again later."""


async def what_it_means(post: Post, container: str | None) -> ChangeKind:
    """Return what a "not found" of a moment ago means; raise `Unconfirmed` if it means nothing.

    It means something when the credentials work and belong to whom they should. `container` is the project or workspace
    that the item was in (None: not known). Raises `VendorError` when the vendor cannot be asked.
    """
    account = await post.eyes.whoami()
    expected = post.connection.account_id
    if expected is not None and account.id != expected:
        raise Unconfirmed(f"the credentials belong to {account.id}, not to {expected}")
    if post.side is Side.JIRA:
        return ChangeKind.HIDDEN
    if container is not None and not await post.eyes.container_visible(container):
        return ChangeKind.HIDDEN
    return ChangeKind.DELETED
