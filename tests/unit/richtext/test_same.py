"""When two values of one side are the same to a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.richtext.canonical import canonical
from shared.richtext.forms import Form, from_craft, from_jira, language_of, plain, render, same, words
from shared.richtext.model import Document, Language
from tests.unit.richtext.documents import documents, laws


def adf(*content: object) -> Form:
    return {"adf": {"type": "doc", "version": 1, "content": list(content)}}


def line(*texts: object, **more: object) -> dict[str, object]:
    return {
        "type": "paragraph",
        "content": [{"type": "text", "text": t} if isinstance(t, str) else t for t in texts],
        **more,
    }


def mention(account: str) -> dict[str, object]:
    return {"type": "mention", "attrs": {"id": account, "text": "@A"}}


def strong(text: str) -> dict[str, object]:
    return {"type": "text", "text": text, "marks": [{"type": "strong"}]}


SAME: list[tuple[Form | None, Form | None]] = [
    (None, {"html": " <p><br></p> "}),
    ({"html": "<p>a <b>b</b> <i>c</i></p>"}, {"html": "<p>a  <strong>b </strong><em>c</em></p><p></p>"}),
    ({"html": "<p>a&nbsp;b</p>"}, {"html": "<div>a\n b</div>"}),
    ({"html": '<a title="t" href="/x">x</a>'}, {"html": '<p><a href="/x" class="k">x</a></p>'}),
    ({"html": "<ul><li>a</li></ul>"}, {"html": "<ul><li><p>a</p></li></ul>"}),
    ({"html": "a\n\nb"}, {"html": "<p>a</p><p>b</p>"}),
    (adf(line("a", "b", attrs={"localId": "1"})), adf(line("ab"), {"type": "paragraph"})),
    (adf(line(strong("a"), " ", strong("b"))), adf(line(strong("a"), {"type": "text", "text": " "}, strong("b")))),
    (adf(line(strong("a "), "b")), adf(line(strong("a"), " b"))),
    ({"wiki": "a *b*\r\n\r\n\r\nc"}, {"wiki": "a {*}b{*}\n\nc\n"}),
    ({"wiki": "bq. a"}, {"wiki": "{quote}\na\n{quote}"}),
]  # fmt: skip
DIFFERENT: list[tuple[Form | None, Form | None]] = [
    (None, {"html": "a"}),
    ({"html": "<p>a</p>"}, {"html": "<p><b>a</b></p>"}),
    ({"html": "<p>a</p><p>b</p>"}, {"html": "<p>a<br>b</p>"}),
    ({"html": "<ul><li>a</li></ul>"}, {"html": "<ol><li>a</li></ol>"}),
    ({"html": "<h1>a</h1>"}, {"html": "<h2>a</h2>"}),
    ({"html": '<a href="https://x.example/1">x</a>'}, {"html": '<a href="https://x.example/2">x</a>'}),
    (adf(line(mention("1"))), adf(line(mention("2")))),
    (adf(line(mention("1"))), adf(line("@A"))),
    ({"wiki": "{code:java}\na\n{code}"}, {"wiki": "{code}\na\n{code}"}),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_a_person_cannot_tell_apart_is_the_same(left: Form | None, right: Form | None) -> None:
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_a_person_can_tell_apart_is_not(left: Form | None, right: Form | None) -> None:
    assert not same(left, right)
    assert not same(right, left)


@laws
@given(st.lists(documents, min_size=3, max_size=3), st.sampled_from(("adf", "wiki", "html")))
def test_same_is_an_equivalence(three: list[Document], language: Language) -> None:
    a, b, c = (render(document, language) for document in three)
    assert same(a, a)
    assert same(a, b) == same(b, a)
    assert same(a, c) or not (same(a, b) and same(b, c))
    assert same(a, render(canonical(three[0]), language))


def test_what_a_side_shows_becomes_its_normal_form() -> None:
    document = {"type": "doc", "version": 1, "content": []}
    assert from_jira(document) == {"adf": document}
    assert from_jira("*a*") == {"wiki": "*a*"}
    assert from_craft("<p>a</p>") == {"html": "<p>a</p>"}
    nothing: tuple[object, ...] = (None, "", "  ", 7, [])
    for empty in nothing:
        assert from_jira(empty) is None
        assert from_craft(empty) is None


def test_what_is_no_normal_form_is_refused_with_words() -> None:
    with pytest.raises(ValueError, match="adf, wiki or html"):
        language_of({"markdown": "a"})


def test_words_are_equal_for_a_value_and_for_the_changelogs_rendering_of_it() -> None:
    document = adf(
        {"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "Title"}]},
        line("Ask ", {"type": "mention", "attrs": {"id": "5b10", "text": "@Anna"}}, " for ", strong("all"), " of it"),
        {"type": "bulletList", "content": [{"type": "listItem", "content": [line("one")]}]},
    )
    assert words(document) == words({"wiki": "h1. Title\n\nAsk [~accountid:5b10] for *all* of it\n* one"})
    assert words(document) == "Title Ask for all of it one"
    assert words(None) == ""


def test_plain_text_can_be_read_by_people() -> None:
    source = (
        "<h1>T</h1><p>a<br>b</p><ol><li>x<ul><li>y</li></ul></li><li>z</li></ol>"
        "<table><tr><td>1</td><td>2</td></tr></table><blockquote>q</blockquote>"
    )
    assert plain({"html": source}) == "T\n\na\nb\n\n1. x\n  - y\n2. z\n\n1 | 2\n\n> q"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<div class='a'><p>one</p></div><p>two</p>", "<p>one</p><p>two</p>"),
        ("<p><span class='x'>one</span> two</p>", "<p>one two</p>"),
        ("<p><a href='/q' target='_blank'>one</a></p>", "<p><a href='/q'>one</a></p>"),
        ("<section><h2>a</h2><ul><li><span id='1'>b</span></li></ul></section>", "<h2>a</h2><ul><li>b</li></ul>"),
    ],
)
def test_elements_and_attributes_that_show_nothing_do_not_count(one: str, other: str) -> None:
    assert same({"html": one}, {"html": other})


def test_a_comment_on_words_changes_nothing_that_people_wrote() -> None:
    comment = {"type": "annotation", "attrs": {"id": "c", "annotationType": "inlineComment"}}
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two", "marks": [comment]}]
    commented = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": parts}]}
    plain = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one two"}]}],
    }
    assert same({"adf": commented}, {"adf": plain})
