"""What this release makes of records that a newer one has stored, while both run side by side (ADR 0036). Pure.

Called where rows are read. Settings that are not understood are not acted on: whoever needs them waits for its own
upgrade. A status is for display only, and is shown as far as it is understood.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from shared.messages.status import Cause, DisplayState, NoteKind, SyncStatus
from shared.store.port import WrittenByNewer

ModelT = TypeVar("ModelT", bound=BaseModel)
MemberT = TypeVar("MemberT", bound=StrEnum)

_NOT_KNOWN: Final = frozenset({"extra_forbidden", "enum", "literal_error"})
_SHOWN: Final = 5


def understood(model: type[ModelT], body: str, what: str) -> ModelT:
    """Return a stored record. Raises `WrittenByNewer` if all that is wrong with it is that it says more than we
    know.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        if not {problem["type"] for problem in problems} <= _NOT_KNOWN:
            raise
        places = [".".join(str(step) for step in problem["loc"]) for problem in problems[:_SHOWN]]
        raise WrittenByNewer(
            f"{what} was saved by a newer release and uses what this one does not know ({', '.join(places)});"
            " this process waits for its upgrade"
        ) from error


def member(kind: type[MemberT], text: Any) -> MemberT:
    """Return a member of an enumeration. Raises `WrittenByNewer` for one that only a newer release knows."""
    try:
        return kind(text)
    except ValueError as error:
        raise WrittenByNewer(
            f"a record holds {kind.__name__} {text!r}, which this release does not know; this process waits for its"
            " upgrade"
        ) from error


def status_of(body: str) -> SyncStatus:
    """Return a stored status. What a newer release calls by a name that we do not know is `pending`, with its words."""
    try:
        return SyncStatus.model_validate_json(body)
    except ValidationError:
        doc = json.loads(body)
        if doc.get("state") not in set(DisplayState):
            doc["state"] = DisplayState.PENDING
        for holder in (doc, *doc.get("problems", ())):
            if holder.get("cause") not in set(Cause):
                holder["cause"] = Cause.RETRY_LATER
        doc["notes"] = [note for note in doc.get("notes", ()) if note.get("kind") in set(NoteKind)]
        return SyncStatus.model_validate(doc)
