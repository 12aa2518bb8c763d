"""What people write in Jira and Craft.io, and what becomes of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from shared.richtext.forms import Form, carry, equivalent, plain, same
from tests.unit.richtext.documents import schema_errors

Node = dict[str, Any]


def text(words: str, *marks: str) -> Node:
    return {"type": "text", "text": words, **({"marks": [{"type": mark} for mark in marks]} if marks else {})}


def node(kind: str, *content: Node, **attrs: object) -> Node:
    return {"type": kind, **({"attrs": attrs} if attrs else {}), "content": list(content)}


def leaf(kind: str, **attrs: object) -> Node:
    return {"type": kind, "attrs": attrs}


def item(words: str) -> Node:
    return node("listItem", node("paragraph", text(words)))


def cell(kind: str, inner: Node, **attrs: object) -> Node:
    return node(kind, node("paragraph", inner), **attrs)


MENTION = leaf("mention", id="5b10ac8d82e05b22cc7d4ef5", text="@Anna Lee", accessLevel="", localId="m-1")
STATUS = leaf("status", text="IN REVIEW", color="blue", localId="s-1", style="")
PICTURE = node(
    "mediaSingle", leaf("media", type="file", id="f-1", collection="c", alt="shot.png", width=9), layout="center"
)
JIRA: Form = {
    "adf": {
        "type": "doc",
        "version": 1,
        "content": [
            node("heading", text("Export"), level=2, localId="h-1"),
            node("paragraph", text("Ask "), MENTION, text(" whether it is "), STATUS, text(" yet."), localId="p-1"),
            node(
                "panel",
                node("paragraph", text("Do not merge before "), leaf("date", timestamp="1767312000000")),
                node("bulletList", item("first"), item("second")),
                panelType="warning",
                localId="n-1",
            ),
            PICTURE,
            node(
                "table",
                node("tableRow", cell("tableHeader", text("Who"), colwidth=[120]), cell("tableHeader", text("When"))),
                node("tableRow", cell("tableCell", MENTION, background="#fffae6"), cell("tableCell", text("soon"))),
                layout="wide",
                localId="t-1",
            ),
            node(
                "taskList",
                node("taskItem", text("write"), localId="k-1", state="TODO"),
                node("taskItem", text("test"), localId="k-2", state="DONE"),
                localId="k",
            ),
            node(
                "expand",
                node("paragraph", text("hidden")),
                node("codeBlock", text("x = 1"), language="python"),
                title="More",
            ),
            leaf("extension", extensionType="com.example", extensionKey="chart", localId="e-1"),
            node(
                "paragraph",
                text("See "),
                leaf("inlineCard", url="https://x.example/browse/A-1"),
                text(" "),
                leaf("emoji", shortName=":tada:", id="1f389", text="🎉"),
            ),
        ],
    }
}
CRAFT = (
    "<h2>Export</h2><p>Ask @Anna Lee whether it is [IN REVIEW] yet.</p>"
    "<blockquote><p>⚠️ Do not merge before 2026-01-02</p><ul><li>first</li><li>second</li></ul></blockquote>"
    "<p>📎 shot.png</p>"
    "<table><tbody><tr><th>Who</th><th>When</th></tr><tr><td>@Anna Lee</td><td>soon</td></tr></tbody></table>"
    "<ul><li>☐ write</li><li>☑ test</li></ul>"
    "<blockquote><p><strong>▸ More</strong></p><p>hidden</p>"
    '<pre><code class="language-python">x = 1</code></pre></blockquote>'
    '<p>See <a href="https://x.example/browse/A-1">https://x.example/browse/A-1</a> 🎉</p>'
)


def after(old: str, new: str, where: Form = JIRA) -> list[Node]:
    """Return Jira's nodes once somebody has replaced words in Craft.io; they are valid ADF."""
    shown = carry(where, None, "html")
    assert shown is not None
    assert old in shown["html"]
    merged = carry({"html": shown["html"].replace(old, new)}, where, "adf")
    assert merged is not None
    assert schema_errors(merged["adf"]) == []
    content: list[Node] = merged["adf"]["content"]
    return content


def with_change(place: int, change: Any) -> list[Node]:
    """Return Jira's nodes with one of them altered."""
    content: list[Node] = copy.deepcopy(JIRA["adf"]["content"])
    change(content[place])
    return content


def test_the_example_is_valid() -> None:
    assert schema_errors(JIRA["adf"]) == []


def test_craft_shows_what_jira_shows_in_the_plainest_html() -> None:
    assert carry(JIRA, None, "html") == {"html": CRAFT}
    assert equivalent(JIRA, {"html": CRAFT})


def test_words_around_a_mention_and_a_status_change_and_both_stay() -> None:
    content = after("whether it is", "if it was")

    def change(paragraph: Node) -> None:
        paragraph["content"][2]["text"] = " if it was "

    assert content == with_change(1, change)


def test_an_item_of_a_list_in_a_panel_changes_and_the_panel_stays() -> None:
    def change(panel: Node) -> None:
        panel["content"][1]["content"][1]["content"][0]["content"][0]["text"] = "2nd"

    assert after("second", "2nd") == with_change(2, change)


def test_a_line_of_a_panel_changes_and_its_date_stays() -> None:
    def change(panel: Node) -> None:
        panel["content"][0]["content"][0]["text"] = "Never merge before "

    assert after("Do not merge", "Never merge") == with_change(2, change)


def test_a_cell_changes_and_widths_colours_and_mentions_of_the_others_stay() -> None:
    def change(table: Node) -> None:
        table["content"][1]["content"][1]["content"][0]["content"][0]["text"] = "now"

    assert after("soon", "now") == with_change(4, change)


def test_a_task_is_ticked_and_keeps_its_identity() -> None:
    def change(tasks: Node) -> None:
        tasks["content"][0]["attrs"]["state"] = "DONE"

    assert after("☐ write", "☑ write") == with_change(5, change)


def test_code_in_an_expand_changes_and_keeps_its_language_even_if_the_editor_dropped_it() -> None:
    def change(expand: Node) -> None:
        expand["content"][1]["content"][0]["text"] = "x = 2"

    assert after('<code class="language-python">x = 1', "<code>x = 2") == with_change(6, change)


def test_a_paragraph_is_put_before_the_picture_and_all_nodes_stay() -> None:
    content = after("<p>📎 shot.png</p>", "<p>new</p><p>📎 shot.png</p>")
    assert [n for n in content if n != node("paragraph", text("new"))] == JIRA["adf"]["content"]
    assert content[4] == PICTURE


def test_only_what_was_removed_in_craft_goes() -> None:
    content = after("<h2>Export</h2>", "")
    assert content == JIRA["adf"]["content"][1:]


def test_a_file_that_was_removed_in_craft_is_kept_where_craft_does_not_show_it() -> None:
    content = after("<p>📎 shot.png</p>", "")
    assert content[:-1] == [n for n in JIRA["adf"]["content"] if n != PICTURE]
    kept = content[-1]
    assert kept["type"] == "expand"
    assert kept["attrs"]["title"] == "Files and macros that were taken out in Craft.io"
    assert kept["content"] == [{"type": "mediaGroup", "content": PICTURE["content"]}]
    without = CRAFT.replace("<p>📎 shot.png</p>", "")
    jira: Form = {"adf": {"type": "doc", "version": 1, "content": content}}
    assert equivalent(jira, {"html": without})
    again = carry({"html": without.replace("Export", "Exports")}, jira, "adf")
    assert again is not None
    assert again["adf"]["content"][-1] == kept
    emptied = carry(None, jira, "adf")
    assert emptied is not None
    assert emptied["adf"]["content"][-1] == kept
    assert equivalent(emptied, None)


def test_a_mention_whose_words_were_changed_becomes_what_was_written() -> None:
    content = after("Ask @Anna Lee", "Ask Bo")
    assert [n["type"] for n in content[1]["content"]] == ["text", "status", "text"]


def test_a_mention_in_a_line_made_bold_stays_a_mention() -> None:
    content = after(
        "Ask @Anna Lee whether it is [IN REVIEW] yet.", "<b>Ask @Anna Lee whether it is [IN REVIEW] yet.</b>"
    )
    assert MENTION in content[1]["content"]
    assert STATUS in content[1]["content"]


def test_two_people_of_one_name_are_not_mixed_up() -> None:
    first, second = (leaf("mention", id=account, text="@Bo") for account in ("1", "2"))
    jira: Form = {
        "adf": {
            "type": "doc",
            "version": 1,
            "content": [node("paragraph", text("ask "), first, text(" or call "), second)],
        }
    }
    content = after("ask @Bo or call", "please call", jira)
    assert content[0]["content"] == [text("please call "), second]


def test_colours_that_the_editor_drops_stay_in_jira() -> None:
    red = {"type": "text", "text": "late", "marks": [{"type": "textColor", "attrs": {"color": "#ff5630"}}]}
    jira: Form = {"adf": {"type": "doc", "version": 1, "content": [node("paragraph", text("it is "), red)]}}
    assert carry({"html": "<p>it is late</p>"}, jira, "adf") == jira
    merged = carry({"html": "<p>it was late</p>"}, jira, "adf")
    assert merged == {"adf": {"type": "doc", "version": 1, "content": [node("paragraph", text("it was "), red)]}}


def test_an_edit_within_a_layout_keeps_the_nodes_in_it() -> None:
    columns = [node("layoutColumn", node("paragraph", text(words)), PICTURE, width=50) for words in ("left", "right")]
    layout = node("layoutSection", *columns)
    jira: Form = {"adf": {"type": "doc", "version": 1, "content": [node("paragraph", text("above")), layout]}}
    assert schema_errors(jira["adf"]) == []
    assert after("above", "over", jira) == [node("paragraph", text("over")), layout]
    changed = copy.deepcopy(layout)
    changed["content"][0]["content"][0]["content"][0]["text"] = "west"
    assert after("left", "west", jira)[1] == changed


def test_what_a_language_keeps_without_showing_it_stays() -> None:
    content = after("See ", "Look at ")
    assert JIRA["adf"]["content"][7] in content


def test_a_new_description_of_craft_becomes_a_panel_tasks_and_lists_in_jira() -> None:
    merged = carry({"html": CRAFT}, None, "adf")
    assert merged is not None
    assert schema_errors(merged["adf"]) == []
    kinds = [n["type"] for n in merged["adf"]["content"]]
    assert kinds == ["heading", "paragraph", "panel", "paragraph", "table", "taskList", "expand", "paragraph"]


@pytest.mark.parametrize("raw", ["one\ntwo\n\n* not a list", "# not a heading\n\n**not bold**"])
def test_plain_text_and_markdown_in_craft_are_carried_as_they_are_written(raw: str) -> None:
    for language in ("adf", "wiki"):
        jira = carry({"html": raw}, None, language)
        assert plain(jira) == raw
        assert same(carry(jira, None, "html"), {"html": raw})


def test_data_centers_own_markup_stays_where_nothing_changed() -> None:
    jira: Form = {
        "wiki": "h2. Plan\n\nAsk [~anna] about !plan.png|width=300!\n\n"
        "{panel:title=Note|borderStyle=dashed}\nold words\n{panel}\n\n"
        "|| a || b ||\n| 1 | {color:red}2{color} |\n\n{anchor:end}"
    }
    craft = carry(jira, None, "html")
    assert craft is not None
    assert carry(craft, jira, "wiki") == jira
    for old, new, wanted in (
        ("old words", "new words", jira["wiki"].replace("old words", "new words")),
        ("Ask", "Tell", jira["wiki"].replace("Ask", "Tell")),
        ("Plan", "The plan", jira["wiki"].replace("Plan", "The plan")),
        ("<td>1</td>", "<td>9</td>", jira["wiki"].replace("| 1 |", "| 9 |")),
    ):
        assert carry({"html": craft["html"].replace(old, new)}, jira, "wiki") == {"wiki": wanted}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("<p>a b</p>", "<p>a <b>b</b></p>"),
        ("<p>a <b>b</b></p>", "<p>a b</p>"),
        ('<p><a href="/x">a</a></p>', '<p><a href="/y">a</a></p>'),
        ("<h1>a</h1>", "<h2>a</h2>"),
        ("<p>a</p>", "<h2>a</h2>"),
        ("<ul><li>a</li></ul>", "<ol><li>a</li></ol>"),
        ("<ul><li>a</li><li>b</li></ul>", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("<ul><li>☐ a</li></ul>", "<ul><li>☑ a</li></ul>"),
        ("<table><tr><td>a</td></tr></table>", "<table><tr><th>a</th></tr></table>"),
        ("<pre>a</pre>", "<pre>a b</pre>"),
        ("<p>a</p><p>b</p>", "<p>a</p><hr><p>b</p>"),
        ("<blockquote>a</blockquote>", "<blockquote>⚠️ a</blockquote>"),
        ('<p><span style="color:#ff0000">a</span> b</p>', '<p>a <span style="color:#ff0000">b</span></p>'),
    ],
)
def test_every_edit_that_both_sides_can_show_is_carried(before: str, now: str) -> None:
    for language in ("adf", "wiki"):
        jira = carry({"html": before}, None, language)
        assert not equivalent(jira, {"html": now})
        changed = carry({"html": now}, jira, language)
        assert not same(changed, jira)
        assert same(carry(changed, None, "html"), {"html": now})
        assert same(carry(changed, {"html": before}, "html"), {"html": now})
