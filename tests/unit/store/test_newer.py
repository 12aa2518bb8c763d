"""Records that a newer release has stored: not acted on where they are not understood, shown as far as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.domain.ids import IntegrationId, LinkId, PairId
from shared.domain.link import LinkState
from shared.domain.mapping import Integration
from shared.messages.status import Cause, DisplayState, Note, NoteKind, Problem, SyncStatus
from shared.store.newer import member, status_of, understood
from shared.store.port import StoreUnavailable, WrittenByNewer
from tests.conformance.store_worlds import integration

SAVED = json.loads(integration().model_dump_json(exclude_defaults=True))


@pytest.mark.parametrize(
    "newer",
    [
        {"invented": "secret"},
        {"pairs": [{**SAVED["pairs"][0], "direction": "sideways"}]},
        {"pairs": [{**SAVED["pairs"][0], "invented": "secret"}]},
    ],
)
def test_settings_that_are_not_understood_are_waited_for_and_not_acted_on(newer: dict[str, object]) -> None:
    with pytest.raises(WrittenByNewer, match="waits for its upgrade") as waiting:
        understood(Integration, json.dumps(SAVED | newer), "revision 2")
    # What is away for a while is tried again, whoever asks for it.
    assert isinstance(waiting.value, StoreUnavailable)
    assert "secret" not in str(waiting.value)


def test_settings_that_are_broken_are_not_called_newer() -> None:
    with pytest.raises(ValidationError):
        understood(Integration, json.dumps(SAVED | {"revision": "many"}), "revision 2")


def test_a_state_that_only_a_newer_release_knows_is_waited_for() -> None:
    assert member(LinkState, "active") is LinkState.ACTIVE
    with pytest.raises(WrittenByNewer, match="LinkState 'levitating'"):
        member(LinkState, "levitating")


def test_a_status_is_shown_as_far_as_it_is_understood() -> None:
    pair = PairId("title")
    note = Note(kind=NoteKind.ONCE, message="filled in once", pair=pair, field="Title")
    status = SyncStatus(
        link_id=LinkId("l"),
        integration_id=IntegrationId("i"),
        state=DisplayState.BLOCKED,
        cause=Cause.REJECTED,
        message="The words for people",
        problems=(Problem(cause=Cause.REJECTED, message="m", next_step="n"),),
        notes=(note, note),
        revision=1,
        at=datetime(2026, 1, 5, tzinfo=UTC),
    )
    doc = json.loads(status.model_dump_json())
    assert status_of(json.dumps(doc)) == status
    doc["state"] = doc["cause"] = doc["problems"][0]["cause"] = doc["notes"][0]["kind"] = "invented"
    shown = status_of(json.dumps(doc))
    assert (shown.state, shown.message, shown.notes) == (DisplayState.PENDING, status.message, (note,))
