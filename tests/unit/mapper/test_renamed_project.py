"""A project is its id: a key that was changed changes nothing for the sync; an issue that was moved is elsewhere."""

from __future__ import annotations

import pytest

from shared.clients.jira.projects import in_project, project_field
from shared.domain.ids import Side
from tests.unit.mapper.test_protocol_failures_handlers import Bench


@pytest.mark.parametrize(
    ("known", "shown", "taken"),
    [
        ("10100", {"id": "10100", "key": "TANX"}, True),
        ("10100", {"id": "10100"}, True),
        ("10100", {"id": "10200", "key": "TAN"}, False),
        ("10100", {"key": "TAN"}, True),
        (None, {"id": "10100", "key": "TAN"}, True),
        (None, {"id": "10100", "key": "TANX"}, False),
    ],
    ids=["renamed", "no key shown", "another project by that name", "no id shown", "not known yet", "renamed before"],
)
async def test_a_new_issue_is_taken_by_the_id_of_its_project(
    known: str | None, shown: dict[str, str], *, taken: bool
) -> None:
    bench = Bench()
    await bench.configure(jira_project_id=known)
    event = bench.jira("1", "New")
    assert event.snapshot is not None
    event.snapshot["fields"]["project"] = shown
    await bench.mapper.handle(event)
    assert (await bench.link(Side.JIRA, "1") is not None) is taken
    assert len(await bench.commands()) == int(taken)


def test_calls_name_a_project_by_id_or_by_key_whichever_it_is() -> None:
    assert in_project("10100") == "project = 10100"
    assert in_project('T"AN') == 'project = "T\\"AN"'
    assert (project_field("10100"), project_field("TAN")) == ({"id": "10100"}, {"key": "TAN"})
