"""Small edits on one side, and what of the other side's own nodes has to be there afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from shared.richtext.forms import carry, equivalent, plain, unframed
from tests.unit.richtext.documents import schema_errors

Node = dict[str, Any]


def text(words: str, *marks: Node) -> Node:
    return {"type": "text", "text": words, **({"marks": list(marks)} if marks else {})}


def link(url: str) -> Node:
    return {"type": "link", "attrs": {"href": url}}


def paragraph(*content: Node) -> Node:
    return {"type": "paragraph", "content": list(content)}


def mention(name: str, account: str = "5b1") -> Node:
    return {"type": "mention", "attrs": {"id": account, "text": f"@{name}"}}


def media(ident: str, alt: str, *marks: Node) -> Node:
    attrs = {"type": "file", "id": ident, "collection": "", "alt": alt}
    return {"type": "media", "attrs": attrs, **({"marks": list(marks)} if marks else {})}


def node(kind: str, *content: Node, **attrs: object) -> Node:
    return {"type": kind, **({"attrs": attrs} if attrs else {}), "content": list(content)}


DATE = {"type": "date", "attrs": {"timestamp": "1735689600000"}}
CAPTION = node("caption", text("The old dialog"))
PICTURE = node("mediaSingle", media("m1", "shot.png"), CAPTION, layout="center")
DECISIONS = node(
    "decisionList",
    node("decisionItem", text("Ship in March, "), mention("Kim"), localId="d1", state="DECIDED"),
    node("decisionItem", text("No beta"), localId="d2", state="DECIDED"),
    localId="d",
)


def html_of(*content: Node) -> str:
    shown = carry({"adf": {"type": "doc", "version": 1, "content": list(content)}}, None, "html")
    assert shown is not None
    html: str = shown["html"]
    return html


def after(old: str, new: str, *content: Node) -> list[Node]:
    """Return Jira's nodes once somebody has replaced words in Craft.io."""
    html = html_of(*content)
    assert old in html
    edited = {"html": html.replace(old, new, 1)}
    merged = carry(edited, {"adf": {"type": "doc", "version": 1, "content": list(content)}}, "adf")
    assert merged is not None
    assert schema_errors(merged["adf"]) == []
    assert equivalent(merged, edited)
    found: list[Node] = merged["adf"]["content"]
    return found


@pytest.mark.parametrize(
    ("before", "what", "behind", "old", "new"),
    [
        ("请", mention("张三"), "看看登录", "登录", "登录页"),
        ("昨日", mention("佐藤"), "さんと話した", "話した", "話しました"),
        ("어제 ", mention("민수"), "와 말했다", "말했다", "얘기했다"),
        ("ask", mention("Ana Lima"), "s turn today", "today", "tomorrow"),
        ("vom", DATE, "an gilt", "gilt", "galt"),
        ("a", {"type": "status", "attrs": {"text": "DONE", "color": "green"}}, "b old", "old", "new"),
    ],
)
def test_a_node_beside_a_letter_outlives_an_edit_of_its_line(
    before: str, what: Node, behind: str, old: str, new: str
) -> None:
    content = after(old, new, paragraph(text(before), what, text(behind)))
    assert content == [paragraph(text(before), what, text(behind.replace(old, new)))]


def test_a_name_that_was_made_a_longer_one_is_the_person_no_more() -> None:
    assert after("@Ann", "@Anna", paragraph(text("ask "), mention("Ann"))) == [paragraph(text("ask @Anna"))]


def test_what_shows_nothing_stays_between_the_words_that_it_stood_between() -> None:
    app = {"type": "inlineExtension", "attrs": {"extensionType": "t", "extensionKey": "k"}}
    content = after("please", "now", paragraph(text("see "), app, text(" please")))
    assert content == [paragraph(text("see "), app, text(" now"))]


def test_a_card_without_an_address_stays_in_its_place() -> None:
    card = {"type": "inlineCard", "attrs": {"data": {"@type": "Document", "name": "Plan"}}}
    content = after("please", "now", paragraph(text("see "), card, text(" please")))
    assert content == [paragraph(text("see "), card, text(" now"))]


def test_a_picture_outlives_any_edit_of_its_caption() -> None:
    changed = {**PICTURE, "content": [media("m1", "shot.png"), node("caption", text("The old dialogue"))]}
    assert after("dialog", "dialogue", PICTURE) == [changed]
    alone = {**PICTURE, "content": [media("m1", "shot.png")]}
    assert after("<p>The old dialog</p>", "", PICTURE, paragraph(text("x"))) == [alone, paragraph(text("x"))]
    between = after("<p>The old", "<p>new</p><p>The old", PICTURE)
    assert between == [alone, paragraph(text("new")), paragraph(text("The old dialog"))]
    renamed = after("shot.png", "dialog.png", PICTURE)
    assert renamed == [{**PICTURE, "content": [media("m1", "dialog.png"), CAPTION]}]


def test_a_file_of_a_group_goes_alone_and_is_kept() -> None:
    group = node("mediaGroup", media("a", "a.pdf"), media("b", "b.pdf"))
    content = after("<p>📎 a.pdf</p>", "", group, paragraph(text("x")))
    assert content[0] == node("mediaGroup", media("b", "b.pdf"))
    assert content[2]["content"] == [node("mediaGroup", media("a", "a.pdf"))]


def test_a_file_in_a_line_is_kept_as_one_of_a_group() -> None:
    attrs = {"type": "file", "id": "i", "collection": "", "alt": "a.pdf"}
    content = after("see 📎 a.pdf", "see it", paragraph(text("see "), {"type": "mediaInline", "attrs": attrs}))
    assert content[0] == paragraph(text("see it"))
    assert content[1]["content"] == [node("mediaGroup", media("i", "a.pdf"))]


def test_a_file_that_is_moved_is_moved() -> None:
    content = after("<p>📎 b.png</p><p>one</p>", "<p>one</p><p>📎 b.png</p>", *_with_file("b.png"))
    assert content == [_with_file("b.png")[1], _with_file("b.png")[0]]


def _with_file(name: str) -> list[Node]:
    return [node("mediaSingle", media("b", name), layout="center"), paragraph(text("one"))]


def test_decisions_are_edited_added_and_removed_one_by_one() -> None:
    first, second = DECISIONS["content"]
    later = {**second, "content": [text("No beta phase")]}
    assert after("No beta", "No beta phase", DECISIONS) == [{**DECISIONS, "content": [first, later]}]
    assert after("<p>◇ No beta</p>", "", DECISIONS) == [{**DECISIONS, "content": [first]}]
    [added] = after("<p>◇ No beta</p>", "<p>◇ No beta</p><p>◇ In May</p>", DECISIONS)
    assert added["content"][:2] == [first, second]
    assert added["content"][2]["type"] == "decisionItem"
    parted = after("<p>◇ No", "<p>because</p><p>◇ No", DECISIONS)
    assert [each["type"] for each in parted] == ["decisionList", "paragraph", "decisionList"]
    assert parted[0]["content"] + parted[2]["content"] == [first, second]


def test_a_macro_keeps_its_settings_whatever_becomes_of_its_body() -> None:
    macro = node(
        "bodiedExtension", paragraph(text("body text")), extensionType="t", extensionKey="k", parameters={"a": 1}
    )
    rest = paragraph(text("x"))
    assert after("body", "new body", macro, rest)[0] == {**macro, "content": [paragraph(text("new body text"))]}
    assert after("<p>body text</p>", "", macro, rest)[0] == {**macro, "content": [paragraph()]}
    longer = after("text</p>", "text</p><h2>more</h2><p>end</p>", macro, rest)
    assert [each["type"] for each in longer] == ["bodiedExtension", "heading", "paragraph", "paragraph"]
    two = node("bodiedExtension", paragraph(text("one")), paragraph(text("two")), extensionType="t", extensionKey="k")
    [within] = after("<p>two", "<h2>more</h2><p>two", two)
    assert [each["type"] for each in within["content"]] == ["paragraph", "heading", "paragraph"]


CARD = {"type": "blockCard", "attrs": {"url": "https://x.example/b"}}


@pytest.mark.parametrize("first", [PICTURE, DECISIONS, CARD, node("mediaGroup", media("b", "b.pdf"))])
def test_a_panel_that_begins_with_a_node_costs_nothing_when_something_else_is_edited(first: Node) -> None:
    panel = node("panel", first, paragraph(text("mind "), mention("Kim")), panelType="warning", localId="p")
    assert after("other", "another", panel, paragraph(text("other"))) == [panel, paragraph(text("another"))]
    changed = {**panel, "content": [first, paragraph(text("never mind "), mention("Kim"))]}
    assert after("mind", "never mind", panel) == [changed]


def test_a_task_of_paragraphs_and_macros_keeps_them() -> None:
    app = {"type": "extension", "attrs": {"extensionType": "t", "extensionKey": "k", "text": "Burn down"}}
    lines = paragraph(text("ask "), mention("Kim")), paragraph(text("first"), DATE)
    task = node("blockTaskItem", lines[0], app, lines[1], localId="t", state="TODO")
    tasks = node("taskList", task, localId="l")
    [changed] = after("first", "last", tasks)
    assert changed == {**tasks, "content": [{**task, "content": [lines[0], app, paragraph(text("last"), DATE)]}]}


def test_the_name_of_a_file_or_macro_in_a_line_may_be_changed() -> None:
    file = {"type": "mediaInline", "attrs": {"type": "file", "id": "i", "collection": "", "alt": "plan.pdf"}}
    app = {"type": "inlineExtension", "attrs": {"extensionType": "t", "extensionKey": "k", "text": "Burn down"}}
    renamed = {"type": "mediaInline", "attrs": {"type": "file", "id": "i", "collection": "", "alt": "budget.pdf"}}
    line = paragraph(text("see "), file, text(" now"))
    assert after("plan.pdf", "budget.pdf", line) == [paragraph(text("see "), renamed, text(" now"))]
    worded = {"type": "inlineExtension", "attrs": {"extensionType": "t", "extensionKey": "k", "text": "Burn up"}}
    assert after("down", "up", paragraph(text("see "), app)) == [paragraph(text("see "), worded)]


def test_a_macro_whose_words_were_replaced_altogether_is_kept_beside() -> None:
    app = {"type": "inlineExtension", "attrs": {"extensionType": "t", "extensionKey": "k", "text": "Burndown"}}
    chart = {"type": "extension", "attrs": {"extensionType": "t", "extensionKey": "c", "text": "Velocity"}}
    line, kept = after("Burndown", "nothing else", paragraph(text("see "), app, text(" now")))
    assert line == paragraph(text("see nothing else now"))
    assert kept["content"] == [paragraph(app)]
    assert after("<p>Velocity</p>", "", chart, paragraph(text("x")))[1]["content"] == [chart]


def test_a_frame_whose_sign_was_edited_away_is_said() -> None:
    panel = node("panel", paragraph(text("mind the "), mention("Kim")), panelType="warning")
    expand = node("expand", paragraph(text("inside")), title="More")
    before = {"adf": {"type": "doc", "version": 1, "content": [panel, expand]}}
    html = html_of(panel, expand)
    for old, new, said in (
        ("⚠️ ", "", ["the panel “mind the @Kim”"]),
        ("▸ More", "More", ["the expand “More”"]),
        ("⚠️ ", "📝 ", []),
        ("mind", "never mind", []),
    ):
        now = carry({"html": html.replace(old, new)}, before, "adf")
        assert unframed(before, now) == said
    assert unframed(before, None) == []


def test_a_column_of_which_nothing_is_left_stays_beside_the_other() -> None:
    columns = [node("layoutColumn", paragraph(text(words)), width=50) for words in ("left", "right")]
    [layout] = after("<p>left</p>", "", node("layoutSection", *columns))
    assert layout["content"] == [{**columns[0], "content": [paragraph()]}, columns[1]]


@pytest.mark.parametrize(
    "url",
    [
        "tel:+4930123456",
        "slack://channel?id=C1",
        "file:///srv/share/plan.xlsx",
        "ftp://files.example/a",
        "sip:desk@example.org",
        "skype:desk?call",
        "callto:desk",
        "notes://server/db",
        "https://x.example/a_(b)",
    ],
)
def test_links_that_jira_takes_for_safe_are_shown_and_kept(url: str) -> None:
    line = paragraph(text("See "), text("this", link(url)), text(" first"))
    assert f'href="{url}"' in html_of(line)
    assert after("first", "now", line) == [paragraph(text("See "), text("this", link(url)), text(" now"))]


@pytest.mark.parametrize("url", ["obsidian://open?vault=v", "javascript:alert(1)"])
def test_a_link_that_cannot_be_shown_stays_on_its_words(url: str) -> None:
    line = paragraph(text("See "), text("this", link(url)), text(" first"))
    assert "href" not in html_of(line)
    assert after("first", "now", line) == [paragraph(text("See "), text("this", link(url)), text(" now"))]


def test_the_mark_of_a_comment_stays_on_its_words() -> None:
    comment = {"type": "annotation", "attrs": {"id": "c", "annotationType": "inlineComment"}}
    line = paragraph(text("See "), text("this part", comment), text(" first"))
    assert after("part", "piece", line)[0]["content"][1] == text("this piece", comment)
    assert after("first", "now", line)[0]["content"][1] == text("this part", comment)


def test_a_picture_leads_where_its_link_does() -> None:
    linked = node("mediaSingle", media("m", "a.png", link("https://plan.example/x")), layout="center")
    assert html_of(linked) == '<p><a href="https://plan.example/x">📎 a.png</a></p>'
    html = '<p><a href="https://plan.example/x"><img src="https://img.example/a.png" alt="a"></a></p>'
    made = carry({"html": html}, None, "adf")
    assert made is not None
    assert made["adf"]["content"] == [paragraph(text("a", link("https://plan.example/x")))]


@pytest.mark.parametrize(
    "raw",
    [
        "First call <script>, mail Ann <ann@x.example>, then go to <region>.",
        "List<String> items, and a <b and c> d",
        "<https://x.example/a> or 1 < 2",
        "use <script>x()</script> here",
    ],
)
def test_words_in_angle_brackets_are_words(raw: str) -> None:
    jira = carry({"html": raw}, None, "adf")
    assert plain(jira) == raw
    back = carry(
        {"adf": {"type": "doc", "version": 1, "content": [paragraph(text(f"{raw} more"))]}}, {"html": raw}, "html"
    )
    assert plain(back) == f"{raw} more"


def test_words_in_angle_brackets_within_html_are_words_too() -> None:
    raw = "<p>call <script>, mail <ann@x.example>, go to <b>the</b> <region>.</p><p>end</p>"
    assert plain(carry({"html": raw}, None, "adf")) == "call <script>, mail <ann@x.example>, go to the <region>.\n\nend"


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("see https://en.wikipedia.org/wiki/Kafka_(software) now", "https://en.wikipedia.org/wiki/Kafka_(software)"),
        ("(see https://en.wikipedia.org/wiki/Kafka_(software))", "https://en.wikipedia.org/wiki/Kafka_(software)"),
        ("(https://x.example/a)", "https://x.example/a"),
        ("https://ja.wikipedia.org/wiki/東京 です", "https://ja.wikipedia.org/wiki/東京"),
        ("https://x.example/aを見て", "https://x.example/a"),
        ("https://x.example/it's.", "https://x.example/it's"),
        ("https://x.example/größe!", "https://x.example/größe"),
    ],
)
def test_a_text_becomes_a_link_to_the_whole_address(words: str, url: str) -> None:
    made = carry({"html": f"<p>{words}</p>"}, None, "adf")
    assert made is not None
    [line] = made["adf"]["content"]
    assert [part["text"] for part in line["content"] if part.get("marks") == [link(url)]] == [url]
    assert "".join(part["text"] for part in line["content"]) == words


CRAFT = (
    '<div class="note"><p>First words <img src="https://x.example/a.png" width="9"/> here</p></div>'
    '<figure><img src="https://x.example/b.png"/><figcaption>Old legend</figcaption></figure>'
    '<table class="t"><colgroup><col width="10"/></colgroup><thead><tr><th>Head</th></tr></thead>'
    '<tbody><tr><td style="color:red">Cell one</td></tr></tbody></table>'
    "<details><summary>Title</summary><p>inside</p></details>"
    '<p>A <a href="https://x.example/q" target="_blank" title="t">link</a> and <span data-id="7">@Kim</span> end</p>'
    '<ul class="u"><li data-k="1">one</li><li data-k="2">two</li></ul><dl><dt>Term</dt><dd>Sense</dd></dl><p>last</p>'
)


@pytest.mark.parametrize("old", ["First", "legend", "Cell one", "inside", "end", "two", "Sense", "last"])
def test_an_edit_in_jira_changes_nothing_else_of_what_craft_holds(old: str) -> None:
    jira = carry({"html": CRAFT}, None, "adf")
    assert jira is not None
    changed = carry({"html": CRAFT.replace(old, "other")}, jira, "adf")
    assert carry(changed, {"html": CRAFT}, "html") == {"html": CRAFT.replace(old, "other")}


def test_another_person_takes_nothing_of_the_one_before() -> None:
    jira = carry({"html": CRAFT}, None, "adf")
    changed = carry({"html": CRAFT.replace("@Kim", "@Lee")}, jira, "adf")
    merged = carry(changed, {"html": CRAFT}, "html")
    assert merged == {"html": CRAFT.replace('<span data-id="7">@Kim</span>', "@Lee")}


def test_the_caption_of_a_table_is_read() -> None:
    made = carry({"html": "<table><caption>Plan</caption><tr><td>a</td></tr></table>"}, None, "adf")
    assert plain(made) == "Plan\na"
