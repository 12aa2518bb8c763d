"""Laws of rich text: one store, two forms; plain prose survives both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jira.adf import paragraphs, valid
from sandbox.jira.wiki import from_wiki
from sandbox.jira.wiki_text import to_wiki

MARKED = {
    "*bold* and _slanted_ and {{code}}": ["strong", "em", "code"],
    "+under+ -struck- [label|https://x.test/a?b=1]": ["underline", "strike", "link"],
}
BLOCKS = [
    "h2. Title\n\nText",
    "* one\n* two\n** deeper\n* three",
    "# first\n# second",
    "{code:python}\nx = *y\n{code}",
    "{quote}\nsaid\n{quote}",
    "before\n\n----\n\nafter",
    "line one\nline two\n\n\nparagraph",
    "[https://x.test]",
    "*bold with [link|https://x.test]*",
]
PROSE = st.text(st.sampled_from("ab é.,!?()'\"/:;=€😀\n"), max_size=60)
ANYTHING = st.text(st.sampled_from("ab *_+-{}[]|#\\h1.\n"), max_size=40)


@pytest.mark.parametrize("wiki", [*BLOCKS, *MARKED])
def test_known_markup_survives_the_way_there_and_back(wiki: str) -> None:
    document = from_wiki(wiki)
    assert valid(document)
    assert to_wiki(document) == wiki


@pytest.mark.parametrize(("wiki", "marks"), MARKED.items())
def test_marks_become_marks(wiki: str, marks: list[str]) -> None:
    found = [mark["type"] for node in from_wiki(wiki)["content"][0]["content"] for mark in node.get("marks", [])]  # type: ignore[index]
    assert found == marks


@given(PROSE)
def test_prose_is_the_same_in_both_forms(text: str) -> None:
    document = from_wiki(text)
    assert valid(document)
    if text.strip("\n"):
        assert to_wiki(document) == text


@given(ANYTHING)
def test_any_string_becomes_a_valid_document_and_settles_after_one_round(text: str) -> None:
    once = to_wiki(from_wiki(text))
    assert valid(from_wiki(text))
    assert to_wiki(from_wiki(once)) == once


@given(ANYTHING)
def test_text_in_a_document_never_turns_into_markup(text: str) -> None:
    line = text.replace("\n", " ").strip() or "x"
    document = paragraphs(line)
    assert from_wiki(to_wiki(document)) == document


def test_unknown_nodes_show_the_text_inside_them() -> None:
    cell = {"type": "tableCell", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "deep"}]}]}
    table = {"type": "table", "content": [{"type": "tableRow", "content": [cell]}]}
    document: dict[str, object] = {"type": "doc", "version": 1, "content": [table]}
    assert valid(document)
    assert to_wiki(document) == "deep"
