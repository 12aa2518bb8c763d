"""Carrying onto what the other side holds: always equivalent, nothing lost that did not change."""

from __future__ import annotations

from typing import Literal

import pytest
from bs4 import BeautifulSoup
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.richtext.alike import shown
from shared.richtext.forms import Form, carry, equivalent, parse, render, same
from shared.richtext.html import parse_html, to_html
from shared.richtext.model import Document, Expand, Paragraph, Text
from tests.unit.richtext.documents import documents, edited, laws, rootless, schema_errors

Jira = Literal["adf", "wiki"]
languages = st.sampled_from(("adf", "wiki"))


def check(jira: Form | None, craft: Form | None, language: Jira) -> None:
    """Check the laws of both directions."""
    to_jira = carry(craft, jira, language)
    assert equivalent(to_jira, craft)
    assert carry(craft, to_jira, language) == to_jira
    to_craft = carry(jira, craft, "html")
    assert equivalent(jira, to_craft) or jira is None
    assert carry(jira, to_craft, "html") == to_craft
    if language == "adf" and to_jira is not None:
        assert schema_errors(to_jira["adf"]) == []


def bare(form: Form) -> Form:
    """Return HTML as an editor leaves it that keeps no attribute but addresses."""
    soup = BeautifulSoup(form["html"], "html.parser")
    for tag in soup.find_all(True):
        tag.attrs = {name: value for name, value in tag.attrs.items() if name == "href"}
    return {"html": str(soup)}


@laws
@given(documents, documents, languages)
def test_the_result_is_equivalent_and_carrying_is_idempotent(one: Document, other: Document, language: Jira) -> None:
    check(render(one, language), render(other, "html"), language)


@laws
@given(documents, languages, st.integers(0, 12), st.sampled_from(("more", "@Anna", "* x", "|")))
def test_the_laws_hold_for_an_edit_of_what_was_carried(document: Document, language: Jira, at: int, words: str) -> None:
    jira = render(document, language)
    craft = carry(jira, None, "html")
    check(jira, render(edited(parse(craft), at, words), "html"), language)
    check(render(edited(parse(jira), at, words), language), craft, language)


@laws
@given(documents, languages)
def test_there_and_back_unchanged_is_the_identity(document: Document, language: Jira) -> None:
    jira = render(document, language)
    craft = carry(jira, None, "html")
    assert equivalent(jira, craft)
    assert carry(craft, jira, language) == jira
    if craft is not None:
        assert carry(bare(craft), jira, language) == jira


@laws
@given(documents, languages)
def test_what_both_sides_hold_survives_without_anything_to_merge_onto(document: Document, language: Jira) -> None:
    jira = carry(render(document, "html"), None, language)
    craft = carry(jira, None, "html")
    again = carry(craft, None, language)
    assert equivalent(jira, craft)
    assert same(carry(again, None, "html"), craft)


@laws
@given(documents, st.integers(0, 9))
def test_a_new_paragraph_in_craft_leaves_every_node_of_jira_as_it_is(document: Document, at: int) -> None:
    jira = render(document, "adf")
    craft = carry(jira, None, "html")
    assume(jira is not None)
    assert jira is not None
    blocks = list(parse(craft).blocks)
    blocks.insert(at % (len(blocks) + 1), Paragraph((Text("A line that was not there"),)))
    merged = carry({"html": to_html(Document(tuple(blocks)))}, jira, "adf")
    assert merged is not None
    left = [node for node in merged["adf"]["content"] if "A line that was not there" not in str(node)]
    assert left == jira["adf"]["content"]


@laws
@given(documents, st.integers(0, 9))
def test_another_block_in_craft_leaves_every_other_node_of_jira_as_it_is(document: Document, at: int) -> None:
    jira = render(document, "adf")
    craft = carry(jira, None, "html")
    assume(jira is not None and craft is not None)
    assert jira is not None
    blocks = list(parse(craft).blocks)
    place = at % len(blocks)
    blocks[place] = Paragraph((Text("Something else altogether"),))
    merged = carry({"html": to_html(Document(tuple(blocks)))}, jira, "adf")
    assert merged is not None
    showing = [node for node in jira["adf"]["content"] if shown(parse({"adf": node}).blocks, "adf")]
    wanted = [node for node in jira["adf"]["content"] if node is not showing[place]]
    left = [node for node in merged["adf"]["content"] if "Something else altogether" not in str(node)]
    assert left == wanted


@pytest.mark.parametrize("language", ["adf", "wiki"])
def test_nothing_is_carried_as_nothing(language: Jira) -> None:
    assert carry(None, None, language) is None
    assert carry(None, {"html": "<p>a</p>"}, "html") is None
    assert carry({"html": "<p> </p>"}, None, language) is None


def test_what_is_carried_is_in_the_language_that_was_asked_for_whatever_the_target_holds() -> None:
    craft = {"html": "<p>a</p>"}
    assert carry(craft, {"wiki": "a"}, "adf") == carry(craft, None, "adf")
    assert carry(craft, carry(craft, None, "adf"), "wiki") == {"wiki": "a"}


def test_attributes_and_elements_that_only_craft_knows_stay_where_nothing_changed() -> None:
    craft = {
        "html": '<p class="k">one</p><p><img src="https://x.example/a.png" width="9">two</p><div data-x="1">three</div>'
    }
    jira = carry(craft, None, "adf")
    assert jira is not None
    document = edited(parse(jira), 0, "more")
    merged = carry(render(document, "adf"), craft, "html")
    assert merged == {
        "html": '<p class="k">one more</p><p><img src="https://x.example/a.png" width="9"/>two</p>'
        '<div data-x="1">three</div>'
    }
    assert rootless(parse_html(merged["html"])) is not None


def test_a_character_written_by_its_number_ends_an_address() -> None:
    """Of a title that is an address and a backslash, the backslash was read as a part of the address."""
    title = "http://a.example/b_c\\"
    jira = render(Document((Expand(title, ()),)), "wiki")
    craft = carry(jira, None, "html")
    assert craft is not None
    assert title in craft["html"].replace("</a>", "").replace('<a href="http://a.example/b_c">', "")
    assert equivalent(carry(craft, None, "wiki"), jira)
