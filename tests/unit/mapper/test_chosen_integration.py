"""Whose a new item becomes where several integrations could take it: a person's choice holds."""

from __future__ import annotations

import pytest

from shared.domain.ids import IntegrationId, Side
from shared.domain.mapping import Mode
from shared.messages.change import ChangeEvent, Origin
from shared.messages.write import WriteCommand
from tests.unit.mapper.test_protocol_failures_handlers import US, Bench

FIRST, SECOND = IntegrationId("i"), IntegrationId("j")


async def two_integrations(first: Mode = Mode.MANUAL, second: Mode = Mode.MANUAL) -> Bench:
    bench = Bench()
    integration = await bench.configure(to_craft=first, to_jira=first)
    other = integration.model_copy(update={"id": SECOND, "name": "j", "to_craft": second, "to_jira": second})
    await bench.store.save_integration(other, 0, "test", bench.clock.now())
    return bench


def asked(event: ChangeEvent, chosen: IntegrationId | None) -> ChangeEvent:
    return event.model_copy(update={"origin": Origin.REQUEST, "integration_id": chosen})


async def taken_by(bench: Bench, event: ChangeEvent) -> IntegrationId | None:
    await bench.mapper.handle(event)
    link = await bench.link(event.side, event.entity_id)
    return link.integration_id if link is not None else None


@pytest.mark.parametrize("chosen", [FIRST, SECOND])
@pytest.mark.parametrize("side", list(Side))
async def test_an_item_goes_where_the_person_who_asked_for_it_wants_it(chosen: IntegrationId, side: Side) -> None:
    bench = await two_integrations()
    event = bench.jira("1", "a") if side is Side.JIRA else bench.craft("11", "a")
    assert await taken_by(bench, asked(event, chosen)) == chosen


async def test_an_integration_that_creates_nothing_does_not_hand_a_persons_choice_on_to_another() -> None:
    bench = await two_integrations(first=Mode.AUTOMATIC, second=Mode.OFF)
    assert await taken_by(bench, asked(bench.jira("1", "a"), SECOND)) is None


async def test_an_integration_that_the_item_is_not_in_any_more_creates_nothing() -> None:
    bench = await two_integrations()
    assert await taken_by(bench, asked(bench.jira("1", "a"), IntegrationId("gone"))) is None


async def test_a_request_that_was_stored_before_it_named_an_integration_goes_to_the_first_that_creates() -> None:
    bench = await two_integrations(first=Mode.OFF)
    assert await taken_by(bench, asked(bench.jira("1", "a"), None)) == SECOND


async def keyed(*fields: str | None) -> Bench:
    """Return a bench whose integrations of one workspace, in order of their ids, have these key fields."""
    bench = Bench()
    first = await bench.configure(key_field=fields[0])
    for number, field in enumerate(fields[1:]):
        other = first.model_copy(
            update={
                "id": IntegrationId(f"j{number}"),
                "name": f"j{number}",
                "jira_project": f"OTHER{number}",
                "craft_key_field": field,
            }
        )
        await bench.store.save_integration(other, 0, "test", bench.clock.now())
    return bench


async def made_for(bench: Bench, project: str) -> WriteCommand:
    """Let a person create an issue in a project; return the command that creates its counterpart."""
    event = bench.jira("1", "a")
    assert event.snapshot is not None
    event.snapshot["fields"]["project"] = {"key": project}
    await bench.mapper.handle(event)
    return (await bench.commands())[-1]


@pytest.mark.parametrize("project", ["TAN", "OTHER0", "OTHER1"])
async def test_an_item_of_ours_is_known_by_its_key_whichever_integration_made_it(project: str) -> None:
    bench = await keyed("one", "two", "three")
    field = {"TAN": "one", "OTHER0": "two", "OTHER1": "three"}[project]
    command = await made_for(bench, project)
    custom = [{"id": field, "value": command.link_id}, *({"id": f, "value": None} for f in ("one", "two", "three"))]
    await bench.mapper.handle(bench.craft("11", "a", by=US, custom=custom))
    link = await bench.link(Side.CRAFT, "11")
    assert link is not None
    assert (link.id, link.jira_id) == (command.link_id, "1")
    assert len(await bench.commands()) == 1


@pytest.mark.parametrize("fields", [("one", None), (None, "one")])
async def test_an_item_of_ours_without_a_key_may_be_of_an_integration_that_has_none(
    fields: tuple[str | None, ...],
) -> None:
    bench = await keyed(*fields)
    await made_for(bench, "TAN" if fields[0] is None else "OTHER0")
    await bench.mapper.handle(bench.craft("11", "a", by=US))
    assert len(await bench.commands()) == 1
    assert await bench.link(Side.CRAFT, "11") is None
