"""Statuses that were right under an earlier revision of the mapping: what it means now was not compared yet. Pure."""

from __future__ import annotations

from shared.domain.ids import Side
from shared.domain.mapping import FieldPair, Integration
from shared.messages.status import DisplayState, Note, NoteKind, SyncStatus


def as_of_now(status: SyncStatus, integration: Integration | None) -> SyncStatus:
    """Return a status with a note for each field whose mapping was changed since, if it says that all agrees.

    The state stays the one by which statuses are listed and counted: nobody knows yet whether it is another.
    """
    newer = [pair for pair in integration.pairs if pair.since > status.revision] if integration is not None else []
    if status.state is not DisplayState.IN_SYNC or not newer:
        return status
    changed = {pair.id for pair in newer}
    notes = (*(note for note in status.notes if note.pair not in changed), *map(_note, newer))
    names = ", ".join(pair.called(Side.JIRA) for pair in newer)
    words = f"It was in step until the mapping was changed. Not compared since: {names}."
    return status.model_copy(update={"notes": notes, "message": words})


def _note(pair: FieldPair) -> Note:
    name = pair.called(Side.JIRA)
    return Note(
        kind=NoteKind.NOT_COMPARED,
        message=f"The mapping of {name} was changed, and the item was not looked at since.",
        next_step="It is compared when the item is edited, or when an admin has existing items decided again.",
        pair=pair.id,
        field=name,
    )
