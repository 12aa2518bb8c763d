"""Parents that a vendor would refuse: what must be in one project or workspace with its parent, and is not. Pure.

Nothing is sent where the vendor has to refuse it; the item says so, and what to do (ADR 0034).
"""

from __future__ import annotations

from services.mapper.domain.context import Context
from shared.domain.ids import EntityId, Side
from shared.domain.link import Json, Link
from shared.fields import Untranslatable
from shared.messages.status import Cause


def barred(link: Link, source: Side, parent: Json, over: Json, ctx: Context) -> Untranslatable | None:
    """Return why a parent cannot be carried to the other side, None if it can. `over` is its counterpart there.

    A sub-task of Jira needs a parent in its own project; any item of Craft.io has its parent in its own workspace.
    """
    subtask = source is Side.CRAFT and _becomes_subtask(link, ctx)
    if over is None:
        return _without_parent(ctx) if subtask else None
    there = ctx.apart.get((source, EntityId(str(parent))))
    if there is None or (source is Side.CRAFT and not subtask):
        return None
    what, where = ("a sub-task", "project") if source is Side.CRAFT else ("an item", "workspace")
    here = f"{ctx.integration.name} is for {ctx.integration.home(Side.JIRA)}" if source is Side.CRAFT else ""
    words = (
        f"The item above it is synced by {there}, whose {where} is another one{f' ({here})' if here else ''}. "
        f"{source.other.vendor} takes {what} only in the {where} of its parent."
    )
    verb = "Push" if source is Side.CRAFT else "Pull"
    step = f"{verb} it for {there} instead, or move it below an item that {ctx.integration.name} syncs."
    return Untranslatable(Cause.PARENT_NOT_LINKED, words, step)


def _without_parent(ctx: Context) -> Untranslatable:
    words = (
        "It would become a sub-task in Jira, and Jira takes a sub-task only below a parent: there is no item above it "
        f"that {ctx.integration.name} syncs."
    )
    return Untranslatable(
        Cause.PARENT_NOT_LINKED, words, "Move it below another item, or have an admin map its type to another one."
    )


def _becomes_subtask(link: Link, ctx: Context) -> bool:
    known = link.labels.get("jira_type") if link.jira_id is not None else None
    kind = known or ctx.integration.type_on(Side.JIRA, link.labels.get("craft_type", ""))
    return kind in ctx.integration.jira_subtasks
