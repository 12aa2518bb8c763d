"""Documents as Jira's editor and apps leave them, made as plain ADF and read without `shared.richtext`.

`foreign(seed)` holds all kinds of nodes, nested as Atlassian's schema allows, with words that occur once each: whoever
replaces one in the HTML knows what the document must be afterwards, by replacing it in the JSON. `reading` is what of
a document a person or an app can tell apart; `nodes` counts what is not text.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

Node = dict[str, Any]
LINKS = (
    "https://x.example/a", "https://wiki.example/wiki/Kafka_(software)", "mailto:a@x.example", "tel:+4930123456",
    "slack://channel?id=C1", "file:///srv/plan.xlsx", "sip:desk@example.org", "obsidian://open?vault=v", "#anchor",
)  # fmt: skip
_LATIN, _HAN, _KANA = (
    "abcdefghijklmnopqrstuvwxyz",
    "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往",
    "あいうえおかきくけこさしすせそ",
)
_NAMES = ("Ana Lima", "张三", "佐藤", "Bo", "José Ñ.", "O'Neil")
_INLINE_HOLDERS = frozenset({"paragraph", "heading", "taskItem", "decisionItem", "caption"})


class _Maker:
    """Makes one document."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0
        self.words: list[str] = []

    def id(self) -> str:
        self.count += 1
        return f"i-{self.count}"

    def word(self) -> str:
        letters = self.random.choice((_LATIN, _LATIN, _LATIN, _HAN, _KANA))
        while True:
            word = "".join(self.random.choices(letters, k=6))
            if not any(word in other or other in word for other in self.words):
                self.words.append(word)
                return word

    def one(self, *makers: Callable[[], Node]) -> Node:
        return self.random.choice(makers)()

    def some(self, least: int, most: int, *makers: Callable[[], Node]) -> list[Node]:
        return [self.one(*makers) for _ in range(self.random.randint(least, most))]

    # lines
    def text(self) -> Node:
        words = " ".join(self.word() for _ in range(self.random.randint(1, 4)))
        return {"type": "text", "text": words, **self.marks()}

    def marks(self) -> Node:
        kind = self.random.randrange(12)
        if kind < 6:
            return {}
        if kind == 6:
            return {"marks": [{"type": "link", "attrs": {"href": self.random.choice(LINKS)}}]}
        if kind == 7:
            return {"marks": [{"type": "code"}]}
        if kind == 8:
            return {"marks": [{"type": "strong"}, {"type": "textColor", "attrs": {"color": "#ff5630"}}]}
        if kind == 9:
            return {"marks": [{"type": "annotation", "attrs": {"id": self.id(), "annotationType": "inlineComment"}}]}
        if kind == 10:
            return {"marks": [{"type": "subsup", "attrs": {"type": "sup"}}]}
        return {"marks": [{"type": self.random.choice(("em", "strong", "strike", "underline"))}]}

    def atom(self, *, apps: bool = True) -> Node:
        random = self.random
        app = {"type": "inlineExtension", "attrs": {"extensionType": "t", "extensionKey": self.id()}}
        mention = {"id": self.id(), "text": f"@{random.choice(_NAMES)}", "localId": self.id()}
        status = {"text": random.choice(("DONE", "IN REVIEW")), "color": "blue", "localId": self.id()}
        choices: list[Node] = [
            *([app] if apps else []),
            {"type": "mention", "attrs": mention},
            {"type": "date", "attrs": {"timestamp": str(86400000 * random.randrange(18000, 20000))}},
            {"type": "status", "attrs": status},
            {"type": "emoji", "attrs": {"shortName": ":tada:", "id": "1f389", "text": "🎉"}},
            {"type": "emoji", "attrs": {"shortName": ":custom_1:", "id": self.id()}},
            {"type": "inlineCard", "attrs": {"url": f"https://x.example/browse/A-{random.randrange(99)}"}},
            {"type": "inlineCard", "attrs": {"data": {"@type": "Document", "name": self.id()}}},
            {"type": "placeholder", "attrs": {"text": "Type here"}},
        ]
        return random.choice(choices)

    def inline_file(self) -> Node:
        return {"type": "mediaInline", "attrs": {"type": "file", "id": self.id(), "collection": "", "alt": "a.pdf"}}

    def line(self, *, files: bool = True) -> list[Node]:
        """Return texts with nodes between them, beside their letters or with a blank between."""
        found: list[Node] = [self.text()]
        for _ in range(self.random.randint(0, 3)):
            blank = self.random.choice(("", " "))
            if found[-1]["type"] == "text" and not found[-1].get("marks"):
                found[-1]["text"] += blank
            kind = self.random.randrange(10)
            if kind == 0:
                found.append({"type": "hardBreak"})
            elif kind < 3:
                found.append({"type": "text", "text": f" {self.word()} "})
            elif kind == 3 and files:
                found.append(self.inline_file())
            else:
                found.append(self.atom(apps=files))
            follows = self.text()
            if not follows.get("marks") and found[-1]["type"] not in ("hardBreak", "text"):
                follows["text"] = self.random.choice(("", " ")) + follows["text"]
            found.append(follows)
        return found

    def paragraph(self) -> Node:
        return {"type": "paragraph", "attrs": {"localId": self.id()}, "content": self.line()}

    def heading(self) -> Node:
        return {"type": "heading", "attrs": {"level": self.random.randint(1, 6)}, "content": self.line()}

    def code(self) -> Node:
        text = "\n".join(f"{self.word()} = {self.word()}" for _ in range(self.random.randint(1, 3)))
        return {"type": "codeBlock", "attrs": {"language": "python"}, "content": [{"type": "text", "text": text}]}

    # media, cards, macros
    def file(self) -> Node:
        attrs = {"type": "file", "id": self.id(), "collection": "", "alt": f"{self.word()} {self.word()}.png"}
        marks = [{"type": "border", "attrs": {"size": 1, "color": "#091e42"}}]
        linked = [{"type": "link", "attrs": {"href": "https://plan.example/x"}}]
        return {"type": "media", "attrs": attrs, **self.random.choice(({}, {}, {"marks": marks}, {"marks": linked}))}

    def picture(self) -> Node:
        caption = {"type": "caption", "content": self.line(files=False)}
        node = {"type": "mediaSingle", "attrs": {"layout": "center"}}
        return {**node, "content": [self.file(), *self.random.choice(([], [caption]))]}

    def group(self) -> Node:
        return {"type": "mediaGroup", "content": self.some(1, 3, self.file)}

    def card(self) -> Node:
        return self.one(
            lambda: {"type": "blockCard", "attrs": {"url": f"https://x.example/{self.id()}"}},
            lambda: {"type": "embedCard", "attrs": {"url": f"https://x.example/{self.id()}", "layout": "wide"}},
            lambda: {"type": "blockCard", "attrs": {"data": {"name": self.id()}}},
        )

    def extension(self) -> Node:
        attrs = {"extensionType": "t", "extensionKey": self.id(), "parameters": {"a": [1]}}
        return {
            "type": "extension",
            "attrs": {**attrs, **self.random.choice(({}, {"text": f"{self.word()} {self.word()}"}))},
        }

    def decisions(self) -> Node:
        return {"type": "decisionList", "attrs": {"localId": self.id()}, "content": self.some(1, 3, self.decision)}

    def decision(self) -> Node:
        attrs = {"localId": self.id(), "state": "DECIDED"}
        return {"type": "decisionItem", "attrs": attrs, "content": self.line()}

    def task(self) -> Node:
        attrs = {"localId": self.id(), "state": self.random.choice(("TODO", "DONE"))}
        return {"type": "taskItem", "attrs": attrs, "content": self.line()}

    def tasks(self, depth: int = 1) -> Node:
        content = self.some(1, 3, self.task)
        if depth and self.random.random() < 0.4:
            content.append(self.tasks(depth - 1))
        return {"type": "taskList", "attrs": {"localId": self.id()}, "content": content}

    def rule(self) -> Node:
        return {"type": "rule"}

    def gap(self) -> Node:
        return {"type": "paragraph", "content": []}

    # containers
    def listing(self, depth: int = 1) -> Node:
        inner: list[Callable[[], Node]] = [self.code, self.picture, self.tasks, self.extension, self.paragraph]
        if depth:
            inner += [lambda: self.listing(depth - 1)] * 3
        items: list[Node] = []
        for _ in range(self.random.randint(1, 3)):
            content = [self.paragraph(), *self.some(0, 2, *inner)]
            items.append({"type": "listItem", "attrs": {"localId": self.id()}, "content": content})
        ordered = {"type": "orderedList", "attrs": {"order": self.random.choice((1, 4))}}
        return {**self.random.choice((ordered, {"type": "bulletList"})), "content": items}

    def quote(self) -> Node:
        inner = (self.paragraph, self.paragraph, self.listing, self.code, self.picture, self.group, self.extension)
        return {"type": "blockquote", "content": [self.paragraph(), *self.some(0, 2, *inner)]}

    def panel(self) -> Node:
        kind = self.random.choice(("info", "warning", "custom", "success"))
        look = {"panelIcon": ":smile:", "panelColor": "#F4F5F7"} if kind == "custom" else {}
        inner = (
            self.paragraph, self.heading, self.listing, self.picture, self.group, self.code, self.tasks, self.decisions,
            self.extension, self.rule,
        )  # fmt: skip
        attrs = {"panelType": kind, "localId": self.id(), **look}
        return {"type": "panel", "attrs": attrs, "content": [self.paragraph(), *self.some(0, 3, *inner)]}

    def plain_blocks(self) -> list[Callable[[], Node]]:
        return [
            self.paragraph, self.paragraph, self.heading, self.listing, self.code, self.picture, self.picture,
            self.group, self.decisions, self.tasks, self.panel, self.quote, self.extension, self.rule, self.gap,
        ]  # fmt: skip

    def table(self) -> Node:
        def cell(kind: str) -> Node:
            content = self.some(
                1, 2, self.paragraph, self.paragraph, *self.plain_blocks(), self.nested_expand, self.card
            )
            return {"type": kind, "attrs": {"colwidth": [120], "background": "#fffae6"}, "content": content}

        wide = self.random.randint(1, 3)
        kinds = [self.random.choice(("tableHeader", "tableCell")), *["tableCell"] * self.random.randint(1, 2)]
        rows = [{"type": "tableRow", "content": [cell(kind) for _ in range(wide)]} for kind in kinds]
        return {"type": "table", "attrs": {"layout": "wide", "localId": self.id()}, "content": rows}

    def nested_expand(self) -> Node:
        title = {"title": f"{self.word()} {self.word()}"}
        return {
            "type": "nestedExpand",
            "attrs": title,
            "content": [self.paragraph(), *self.some(0, 2, *self.plain_blocks()[:-1])],
        }

    def expand(self) -> Node:
        inner = (*self.plain_blocks(), self.table, self.nested_expand, self.card)
        title = {"title": f"{self.word()} {self.word()}", "localId": self.id()}
        return {"type": "expand", "attrs": title, "content": self.some(1, 3, *inner)}

    def layout(self) -> Node:
        inner = (*self.plain_blocks(), self.table, self.expand, self.macro, self.card)
        columns = [
            {"type": "layoutColumn", "attrs": {"width": 50, "localId": self.id()}, "content": self.some(1, 3, *inner)}
            for _ in range(2)
        ]
        return {"type": "layoutSection", "attrs": {"localId": self.id()}, "content": columns}

    def macro(self) -> Node:
        attrs = {"extensionType": "t", "extensionKey": self.id(), "parameters": {"a": 1}, "layout": "wide"}
        content = [self.paragraph(), *self.some(0, 3, *self.plain_blocks(), self.table, self.card)]
        return {"type": "bodiedExtension", "attrs": attrs, "content": content}

    def document(self) -> Node:
        makers = (*self.plain_blocks(), self.table, self.expand, self.layout, self.macro, self.card, self.card)
        content = self.some(2, 7, *makers)
        if not self.words:
            content.append(self.paragraph())
        return {"type": "doc", "version": 1, "content": content}


def foreign(seed: int) -> tuple[Node, list[str]]:
    """Return a document, and the words in it that occur once."""
    maker = _Maker(seed)
    document = maker.document()
    told = json.dumps(document, ensure_ascii=False)
    return document, [word for word in maker.words if told.count(word) == 1]


def replaced(node: Any, old: str, new: str) -> Any:
    """Return JSON with words replaced in all its strings."""
    return json.loads(json.dumps(node, ensure_ascii=False).replace(old, new))


def reading(node: Any) -> Any:
    """Return what can be told apart: lines letter by letter with their marks, blanks without any, the rest as it is."""
    if isinstance(node, list):
        return [reading(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    told = {key: reading(value) for key, value in node.items() if key != "content"}
    content = node.get("content")
    if node.get("type") in _INLINE_HOLDERS and isinstance(content, list):
        told["content"] = _line(content)
    elif content is not None:
        told["content"] = reading(content)
    return told


def _line(content: list[Node]) -> list[Any]:
    told: list[Any] = []
    blank = False
    for node in content:
        if node.get("type") != "text":
            told += ([" "] if blank and told and node.get("type") != "hardBreak" else []) + [node]
            blank = False
            continue
        marks = sorted(json.dumps(mark, sort_keys=True) for mark in node.get("marks", ()))
        for char in node["text"]:
            if char.isspace():
                blank = True
                continue
            if blank and told and told[-1] != {"type": "hardBreak"}:
                told.append(" ")
            blank = False
            told.append([char, *marks])
    return told


def nodes(node: Any) -> Counter[str]:
    """Count all nodes but texts, breaks and empty paragraphs, by what they say of themselves beside their content."""
    found: Counter[str] = Counter()
    left = [node]
    while left:
        part = left.pop()
        kind = part.get("type")
        if kind not in ("text", "hardBreak", "doc") and not (kind == "paragraph" and not part.get("content")):
            said = {key: value for key, value in part.items() if key != "content"}
            found[json.dumps(said, sort_keys=True, ensure_ascii=False)] += 1
        left += part.get("content") or ()
    return found
