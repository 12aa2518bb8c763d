"""Rich text in pairs: what is read where, what the changelog tells of it, and that nothing of the target's is lost."""

from __future__ import annotations

from typing import Any

from shared.domain.ids import PairId, Side
from shared.domain.kinds import FieldKind, Markup
from shared.domain.mapping import FieldPair
from shared.fields import Present, Translated, equivalent, read, render, same, translate
from shared.fields.changelog import agrees, told

ADA = {"type": "mention", "attrs": {"id": "ada", "text": "@Ada"}}


def pair(kind: FieldKind = FieldKind.RICH_TEXT, markup: Markup = Markup.ADF) -> FieldPair:
    """Return the pair of the descriptions, as part of an integration with such a Jira."""
    found = FieldPair(id=PairId("description"), kind=kind, jira="description", craft="description")
    return found.within("UTC", (), markup)


def text(words: str) -> dict[str, Any]:
    """Return a paragraph."""
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


def document(*blocks: dict[str, Any]) -> dict[str, Any]:
    """Return an ADF document."""
    return {"type": "doc", "version": 1, "content": list(blocks)}


PANEL = {"type": "panel", "attrs": {"panelType": "info"}, "content": [text("Mind the gap")]}


def test_what_a_webhook_of_cloud_shows_of_a_document_counts_as_not_shown() -> None:
    for kind in (FieldKind.TEXT, FieldKind.RICH_TEXT):
        assert read(Side.JIRA, pair(kind), {"fields": {"description": "h1. Wiki"}}) is None
        assert read(Side.JIRA, pair(kind), {"fields": {"description": None}}) == Present(None)
        assert read(Side.JIRA, pair(kind, Markup.WIKI), {"fields": {"description": "Wiki"}}) is not None
        assert read(Side.JIRA, pair(kind, Markup.WIKI), {"fields": {"description": document(text("A"))}}) is None


def test_plain_text_is_written_as_a_document_of_the_edition_and_read_back() -> None:
    for markup in Markup:
        plain = pair(FieldKind.TEXT, markup)
        for value in ("one\n\ntwo *three*\n- four", "h1. no heading", "<b>no tag</b>"):
            body = render(Side.JIRA, {plain: value})
            assert read(Side.JIRA, plain, {"fields": body}) == Present(value)


def test_an_edit_of_one_paragraph_in_craft_leaves_jiras_own_nodes_in_place() -> None:
    described = pair()
    jira = {"adf": document(text("First"), PANEL, {"type": "paragraph", "content": [ADA]})}
    over = translate(described, Side.JIRA, jira)
    assert isinstance(over, Translated)
    edited = {"html": over.value["html"].replace("First", "Second")}
    back = translate(described, Side.CRAFT, edited, onto=jira)
    assert isinstance(back, Translated)
    assert back.value == {"adf": document(text("Second"), PANEL, {"type": "paragraph", "content": [ADA]})}
    assert equivalent(described, back.value, edited)


def test_a_document_that_only_the_changelog_told_is_the_one_with_the_same_words() -> None:
    panel = {
        "adf": document(
            {
                "type": "panel",
                "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Ship it, "}, ADA]}],
            }
        )
    }
    logged = told(pair(), None, "{panel}\nShip it, [~ada]\n{panel}")
    assert logged is not None
    assert same(FieldKind.RICH_TEXT, logged.value, panel)
    assert agrees(pair(), logged.value, panel)
    assert not same(FieldKind.RICH_TEXT, {"wiki": "Ship it not"}, panel)
    assert not same(FieldKind.RICH_TEXT, {"wiki": "!a.png!"}, {"adf": document()})


def test_what_only_the_changelog_told_is_restored_as_a_document() -> None:
    body = render(Side.JIRA, {pair(): {"wiki": "*Bold* move"}})
    bold = {"type": "text", "text": "Bold", "marks": [{"type": "strong"}]}
    assert body["description"]["content"] == [
        {"type": "paragraph", "content": [bold, {"type": "text", "text": " move"}]}
    ]


def test_a_file_that_was_taken_out_in_craft_is_kept_in_jira_and_said_once() -> None:
    described = pair()
    file = {"type": "media", "attrs": {"type": "file", "id": "f", "collection": "", "alt": "shot.png"}}
    jira = {"adf": document(text("First"), {"type": "mediaSingle", "attrs": {"layout": "center"}, "content": [file]})}
    without = translate(described, Side.CRAFT, {"html": "<p>First</p>"}, onto=jira)
    assert isinstance(without, Translated)
    assert file in without.value["adf"]["content"][1]["content"][0]["content"]
    assert without.note == "shot.png taken out in Craft.io, kept in Jira at the end of its description"
    again = translate(described, Side.CRAFT, {"html": "<p>Second</p>"}, onto=without.value)
    assert isinstance(again, Translated)
    assert again.note is None
    assert equivalent(described, again.value, {"html": "<p>Second</p>"})
