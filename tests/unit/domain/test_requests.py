"""What may be asked for in which situation: the whole table, and that each link is in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import Absence, Absent, Link, LinkState, Operation, OperationKind
from shared.domain.requests import (
    DIRECTION_OFF,
    NO_INTEGRATION,
    TABLE,
    Refused,
    RequestKind,
    Situation,
    Step,
    judge,
    situation_of,
)
from shared.messages.status import Cause

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
CREATE, COMPARE, APART, JOIN, READ = Step.CREATE, Step.COMPARE, Step.KEEP_APART, Step.JOIN, Step.READ
AGAIN, LOOK, SETTLE = Step.TRY_AGAIN, Step.LOOK, Step.SETTLE
KINDS = ("resync", "unsync", "link", "resolve", "retry", "carry")
EXPECTED: dict[str, tuple[str, ...]] = {
    "held_manual": ("no_counterpart", APART, JOIN, "no_conflict", "held_back", CREATE),
    "held_off": ("direction_off", APART, JOIN, "no_conflict", "direction_off", "direction_off"),
    "waiting": ("no_counterpart", APART, JOIN, "no_conflict", READ, CREATE),
    "creating": ("no_counterpart", APART, "being_created", "no_conflict", AGAIN, CREATE),
    "sending": ("being_created", "being_created", "being_created", "no_conflict", AGAIN, LOOK),
    "ask": ("ask", APART, JOIN, "no_conflict", CREATE, "ask"),
    "active": (COMPARE, APART, "already_linked", SETTLE, AGAIN, LOOK),
    "paused": (COMPARE, APART, "already_linked", SETTLE, AGAIN, LOOK),
    "apart": (COMPARE, "unsynced", JOIN, "no_conflict", "unsynced", "unsynced"),
    "alone": (CREATE, "unsynced", JOIN, "no_conflict", "unsynced", CREATE),
    "excluded": (CREATE, APART, JOIN, "no_conflict", CREATE, CREATE),
    "not_taken": (READ, APART, JOIN, "no_conflict", READ, "no_integration"),
    "absent": ("absent", APART, "absent", "no_conflict", READ, "absent"),
    "left": (READ, APART, JOIN, "no_conflict", READ, Step.BEGIN_ANEW),
    "deleted": (READ, "deleted", "deleted", "no_conflict", READ, "deleted"),
    "moved_on": ("moved_on",) * 6,
}


def test_the_table_is_what_was_decided_cell_by_cell() -> None:
    found = {
        situation.value: tuple(
            cell.code if isinstance(cell := row[RequestKind(kind)], Refused) else cell for kind in KINDS
        )
        for situation, row in TABLE.items()
    }
    assert found == EXPECTED


def test_every_situation_has_an_answer_to_every_request() -> None:
    assert set(TABLE) == set(Situation)
    for row in TABLE.values():
        assert set(row) == set(RequestKind)
        assert row[RequestKind.DECIDE] is LOOK


def test_no_situation_is_one_that_nobody_can_leave() -> None:
    """What is over (its items are in other links) is left; anything else can be asked for something that moves it."""
    for situation, row in TABLE.items():
        moves = [cell for cell in row.values() if not isinstance(cell, Refused) and cell is not LOOK]
        assert moves or situation is Situation.MOVED_ON, situation


@pytest.mark.parametrize("situation", list(Situation))
def test_every_refusal_says_what_is_wrong_and_what_to_do(situation: Situation) -> None:
    for cell in TABLE[situation].values():
        if isinstance(cell, Refused):
            for words in (cell.message, cell.next_step):
                assert words[0].isupper()
                assert words.endswith((".", "!"))
                assert "_" not in words


def link_in(state: LinkState, *, jira: bool = True, craft: bool = True, reason: str | None = None) -> Link:
    link = Link(
        LinkId("l"), IntegrationId("i"), ConnectionId("j"), ConnectionId("c"), Side.JIRA, state, NOW, reason=reason
    )
    link.jira_id, link.craft_id = EntityId("1") if jira else None, EntityId("2") if craft else None
    return link


@pytest.mark.parametrize("state", list(LinkState))
def test_a_link_in_any_state_is_in_the_table(state: LinkState) -> None:
    for jira, craft in ((True, True), (True, False), (False, False)):
        assert situation_of(link_in(state, jira=jira, craft=craft)) in TABLE


def deleted(link: Link, *sides: Side) -> Link:
    for side in sides:
        link.side(side).absent = Absent(Absence.DELETED, NOW)
    return link


def test_the_reasons_that_matter_are_told_apart() -> None:
    sending = link_in(LinkState.CREATING, craft=False)
    sending.operations.append(
        Operation(OperationId("l:1"), sending.id, 1, OperationKind.CREATE, Side.CRAFT, {}, 1, NOW, attempts=1)
    )
    sending.op_id = OperationId("l:1")
    moved = link_in(LinkState.GONE, jira=False, craft=False)
    moved.successors[Side.JIRA] = LinkId("next")
    hidden = link_in(LinkState.GONE)
    hidden.jira.absent = Absent(Absence.HIDDEN, NOW)
    assert (str(Cause.DIRECTION_OFF), str(Cause.NO_INTEGRATION)) == (DIRECTION_OFF, NO_INTEGRATION)
    for link, expected in (
        (link_in(LinkState.HELD, craft=False, reason=Cause.DIRECTION_OFF), Situation.HELD_OFF),
        (link_in(LinkState.HELD, craft=False, reason=Cause.DIRECTION_MANUAL), Situation.HELD_MANUAL),
        (link_in(LinkState.CREATING, craft=False), Situation.CREATING),
        (sending, Situation.SENDING),
        (link_in(LinkState.EXCLUDED, craft=False, reason=Cause.NO_INTEGRATION), Situation.NOT_TAKEN),
        (link_in(LinkState.PAUSED), Situation.PAUSED),
        (link_in(LinkState.PAUSED, craft=False), Situation.CREATING),
        (link_in(LinkState.UNSYNCED), Situation.APART),
        (link_in(LinkState.UNSYNCED, craft=False), Situation.ALONE),
        (deleted(link_in(LinkState.GONE), Side.JIRA), Situation.LEFT),
        (deleted(link_in(LinkState.GONE), *Side), Situation.DELETED),
        (deleted(link_in(LinkState.GONE, craft=False), Side.JIRA), Situation.DELETED),
        (moved, Situation.MOVED_ON),
        (hidden, Situation.LEFT),
    ):
        assert situation_of(link) is expected


def test_a_row_of_before_deletions_were_noted_by_side_may_still_be_linked_anew() -> None:
    assert judge(link_in(LinkState.GONE), RequestKind.LINK) is JOIN
