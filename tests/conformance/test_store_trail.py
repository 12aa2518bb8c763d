"""The laws of the trail (`RevisionReader`) and of labels, on the store in memory and on a real Postgres."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.ids import ConnectionId, LinkId, Side
from shared.domain.mapping import Connection, Integration
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.trail import ConfigKind, RevisionNote
from tests.conformance.store_worlds import (
    CRAFT,
    INTEGRATION,
    JIRA,
    SECRETS,
    T0,
    Store,
    connection,
    insert,
    integration,
    link,
)

LATER = T0 + timedelta(hours=1)


async def test_each_revision_stays_readable_with_who_saved_it_and_when(store: Store) -> None:
    await store.save_integration(integration(name="Two"), 1, "somebody else", LATER)
    notes = await store.revisions(ConfigKind.INTEGRATION, INTEGRATION, None, 10)
    assert notes == [RevisionNote(2, "somebody else", LATER), RevisionNote(1, "an admin", T0)]
    first, second = [await store.revision(ConfigKind.INTEGRATION, INTEGRATION, n) for n in (1, 2)]
    assert first is not None
    assert second is not None
    assert (first.note, second.note) == (notes[1], notes[0])
    old, new = Integration.model_validate(first.body), Integration.model_validate(second.body)
    assert [(old.name, old.revision), (new.name, new.revision)] == [("One", 1), ("Two", 2)]


async def test_a_connections_revisions_hold_no_credentials(store: Store) -> None:
    await store.save_connection(connection(JIRA, name="Renamed"), SECRETS, 1, "an admin", LATER)
    saved = await store.revision(ConfigKind.CONNECTION, JIRA, 2)
    assert saved is not None
    assert Connection.model_validate(saved.body).name == "Renamed"
    assert SECRETS.token not in str(saved.body)


async def test_revisions_come_newest_first_in_pages(bare_store: Store) -> None:
    for revision in range(5):
        await bare_store.save_integration(integration(), revision, "an admin", T0)
    pages = [
        [note.revision for note in await bare_store.revisions(ConfigKind.INTEGRATION, INTEGRATION, before, 2)]
        for before in (None, 4, 2, 1)
    ]
    assert pages == [[5, 4], [3, 2], [1], []]


async def test_what_was_never_saved_has_no_revisions(store: Store) -> None:
    assert await store.revisions(ConfigKind.INTEGRATION, JIRA, None, 10) == []
    assert await store.revision(ConfigKind.CONNECTION, INTEGRATION, 1) is None
    assert await store.revision(ConfigKind.INTEGRATION, INTEGRATION, 2) is None
    assert await store.revision(ConfigKind.INTEGRATION, INTEGRATION, 0) is None


async def test_the_audit_trail_tells_who_saved_what_newest_first_in_pages(store: Store) -> None:
    await store.save_integration(integration(), 1, "somebody else", LATER, restored_from=1)
    entries = await store.audit(None, 10)
    assert [(e.by, e.at, e.kind, e.id, e.revision, e.restored_from) for e in entries] == [
        ("somebody else", LATER, ConfigKind.INTEGRATION, INTEGRATION, 2, 1),
        ("an admin", T0, ConfigKind.INTEGRATION, INTEGRATION, 1, None),
        ("an admin", T0, ConfigKind.CONNECTION, CRAFT, 1, None),
        ("an admin", T0, ConfigKind.CONNECTION, JIRA, 1, None),
    ]
    first, second = await store.audit(None, 2), await store.audit(entries[1].n, 2)
    assert [*first, *second] == entries
    assert await store.audit(entries[-1].n, 2) == []


async def test_an_id_may_have_any_character(bare_store: Store) -> None:
    odd = ConnectionId("craft:a:b")
    await bare_store.save_connection(connection(odd), None, 0, "an admin", T0)
    (entry,) = await bare_store.audit(None, 10)
    assert (entry.kind, entry.id) == (ConfigKind.CONNECTION, odd)


async def test_a_link_is_found_by_the_names_of_its_items_as_last_known(store: Store) -> None:
    await insert(store, link("a"), link("b"))
    await _label(store, "link-a", jira_key="OLD-1", craft_short_id="F-12", title="nul \0 in it")
    await _label(store, "link-b", jira_key="TAN-2")
    await _label(store, "link-a", jira_key="TAN-1", craft_short_id="F-12")
    for side, label, found in (
        (Side.JIRA, "TAN-1", "link-a"),
        (Side.JIRA, "tan-2", "link-b"),
        (Side.CRAFT, "f-12", "link-a"),
        (Side.JIRA, "OLD-1", None),
        (Side.JIRA, "F-12", None),
        (Side.CRAFT, "", None),
        (Side.JIRA, "\0", None),
    ):
        assert await store.find_link_by_label(side, label) == found, label


async def _label(store: Store, link_id: str, **labels: str) -> None:
    status = SyncStatus(
        link_id=LinkId(link_id),
        integration_id=INTEGRATION,
        state=DisplayState.IN_SYNC,
        cause=Cause.OK,
        message="ok",
        revision=1,
        labels=labels,
        at=T0,
    )
    async with store.transaction() as tx:
        await tx.after_commit_status(status)


async def test_a_refused_try_is_in_the_audit_trail_and_is_no_revision(store: Store) -> None:
    await store.note_refusal(ConfigKind.CONNECTION, JIRA, 1, "the address of a stranger", "an admin", LATER)
    await store.note_refusal(ConfigKind.CONNECTION, "never-saved", 0, "the same", "an admin", LATER)
    last, before, *saved = await store.audit(None, 10)
    assert (before.at, before.by, before.kind, before.id, before.revision, before.refused) == (
        LATER,
        "an admin",
        ConfigKind.CONNECTION,
        JIRA,
        1,
        "the address of a stranger",
    )
    assert (last.id, last.revision) == ("never-saved", 0)
    assert {entry.refused for entry in saved} == {None}
    assert [note.revision for note in await store.revisions(ConfigKind.CONNECTION, JIRA, None, 10)] == [1]
    assert await store.revisions(ConfigKind.CONNECTION, "never-saved", None, 10) == []


async def test_agreeing_to_a_revision_is_no_revision_either(store: Store) -> None:
    await store.save_integration(integration(name="Two"), 1, "an admin", LATER, evaluate=False)
    assert await store.agree(INTEGRATION, 2, "an admin", LATER)
    assert [note.revision for note in await store.revisions(ConfigKind.INTEGRATION, INTEGRATION, None, 10)] == [2, 1]
