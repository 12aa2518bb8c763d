"""Each typical misconfiguration is caught, in words that need no ids; and the document shows just these words."""

from __future__ import annotations

import re

import pytest

from services.console.domain.validation import CHECKS, GATES, Severity
from tests.unit.clients.site import on_virtual_time
from tests.unit.console.misconfigurations import CASES, DOCUMENT, written
from tests.unit.console.misconfigured import Bench, Case

_IDS = re.compile(r"customfield_\d+|custom:|\b\d{5,}\b")


def _name(case: Case) -> str:
    return f"{case.code}-{case.what}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_a_misconfiguration_is_caught_where_it_is_and_in_words(case: Case) -> None:
    @on_virtual_time
    async def prove() -> None:
        found = await case.findings()
        assert (case.code, case.path) in {(each.code, each.path) for each in found}
        for each in found:
            assert not _IDS.search(each.message + each.fix), each
            assert each.message.endswith(".")
            assert each.fix.endswith(".")
            assert each.message[0].isupper() or each.message[0] == '"', each

    prove()


@on_virtual_time
async def test_the_demos_mapping_has_no_error_but_for_what_was_made_wrong() -> None:
    bench = Bench()
    untouched = Case("", "", "")
    assert not [each for each in await untouched.findings() if each.severity is Severity.ERROR]
    codes = {each.code for each in await untouched.findings()}
    assert codes == {
        "story_becomes_subtask",
        "not_on_create_screen",
        "not_on_edit_screen",
        "types_share_one",
        "text_may_be_cut",
        "cannot_be_emptied",
        "value_way_back",
    }
    del bench


def test_every_check_is_named_by_what_it_finds_and_has_a_case() -> None:
    named = {case.code for case in CASES}
    others = {
        "craft_type_missing": {"craft_type_not_listed"},
        "key_field_wrong": {"no_key_field", "key_field_mapped"},
        "craft_root_missing": {"craft_root_too_low", "craft_root_elsewhere"},
        "nothing_is_created": {"pair_without_effect"},
    }
    for check in (*GATES, *CHECKS):
        assert {check.__name__, *others.get(check.__name__, set())} <= named
    assert len({case.code for case in CASES}) >= 20


@on_virtual_time
async def test_the_document_is_what_is_said() -> None:
    assert DOCUMENT.read_text() == await written()
