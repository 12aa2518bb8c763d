"""Random documents straight from Atlassian's schema: whatever it allows, in whatever order, with odd attributes.

Other than `foreign`, which makes what editors make, this one knows no node: it follows the definitions alone.
"""

from __future__ import annotations

import random
from typing import Any

from tests.unit.richtext.documents import schema

Node = dict[str, Any]
_LETTERS = ("abcdefghijklmnopqrstuvwxyz", "天地玄黃宇宙洪荒日月盈昃辰宿列張", "абвгдежзиклмн", "가나다라마바사아자차")
_ENDS = ("", "", " ", ", ", ". ", " (", "-")
_ADDRESSES = ("https://x.example/a", "tel:+491", "slack://c?id=1", "obsidian://x", "#anchor", "/rel/path")
_TEXTS = {"mention": ("@Ana Lima", "@张三"), "emoji": ("🎉", "⚠️"), "status": ("DONE", "x]y"), "placeholder": ("Type",)}
_DEEP = frozenset({
    "table", "layoutSection", "bodiedExtension", "expand", "nestedExpand", "panel", "blockquote", "bulletList",
    "orderedList", "taskList", "bodiedSyncBlock",
})  # fmt: skip
_DEPTH = 4


class SchemaMaker:
    """Makes one document; `words` are those in it that occur once."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0
        self.words: list[str] = []

    def document(self) -> Node:
        """Return a document."""
        items = _resolved(_resolved({"$ref": "doc_node"})["properties"]["content"])["items"]
        content = [self._node(items, _DEPTH) for _ in range(self._random.randint(2, 5))]
        return {"type": "doc", "version": 1, "content": content}

    def _node(self, definition: Node, depth: int) -> Node:
        pick = self._random
        definition = _resolved(definition)
        while "anyOf" in definition:
            flat = [each for each in definition["anyOf"] if depth > 0 or not _kinds(each) & _DEEP]
            definition = _resolved(pick.choice(flat or definition["anyOf"]))
        properties, needed = definition["properties"], definition.get("required", ())
        kind = pick.choice(properties["type"]["enum"])
        node: Node = {"type": kind}
        if kind == "text":
            node["text"] = self._phrase(4) + pick.choice(_ENDS)
        if "attrs" in properties and ("attrs" in needed or pick.random() < 0.5):
            node["attrs"] = self._value("attrs", properties["attrs"], kind)
        marks = properties.get("marks", {})
        if "items" in marks and marks.get("maxItems") != 0 and pick.random() < 0.3:
            choices = marks["items"].get("anyOf", [marks["items"]])
            node["marks"] = [self._value("mark", pick.choice(choices), "mark")]
        if "content" in properties:
            node["content"] = self._content(kind, _resolved(properties["content"]), depth - 1)
        return node

    def _content(self, kind: str, definition: Node, depth: int) -> list[Node]:
        items, least = definition.get("items"), max(definition.get("minItems", 0), 1)
        if isinstance(items, list):
            return [self._node(each, depth) for each in items[: self._random.randint(least, len(items))]]
        most = min(definition.get("maxItems", 3), 3)
        content = [self._node(items or {}, depth) for _ in range(self._random.randint(least, max(least, most)))]
        if kind == "taskList":  # a list of tasks begins with one
            content.insert(0, self._node({"$ref": "taskItem_node"}, 0))
        return content

    def _value(self, name: str, definition: Node, owner: str) -> Any:
        pick = self._random
        definition = _resolved(definition)
        if "anyOf" in definition:
            return self._value(name, pick.choice(definition["anyOf"]), owner)
        if "enum" in definition:
            return pick.choice(definition["enum"])
        match definition.get("type"):
            case "string":
                return self._string(name, owner, definition)
            case "number":
                return 1 if name.endswith("span") else pick.randint(int(definition.get("minimum", 1)), 6)
            case "boolean":
                return pick.random() < 0.5
            case "array":
                return [
                    self._value(name, definition.get("items", {}), owner) for _ in range(definition.get("minItems", 1))
                ]
            case _:
                pass
        if "properties" not in definition:
            return {"name": self._ident()}
        needed = definition.get("required", ())
        chosen = [key for key in definition["properties"] if key in needed or pick.random() < 0.35]
        return {key: self._value(key, definition["properties"][key], owner) for key in chosen}

    def _string(self, name: str, owner: str, definition: Node) -> str:
        pick = self._random
        if name == "url":
            return f"https://x.example/{self._ident()}"
        if name == "href":
            return pick.choice(_ADDRESSES)
        if name == "timestamp":
            return str(86400000 * pick.randrange(10000, 20000))
        if name == "text" and owner in _TEXTS:
            return pick.choice(_TEXTS[owner])
        if name in ("alt", "text") or (name == "title" and owner != "mark"):
            return self._phrase(3)
        if "pattern" in definition:
            return "blue" if "neutral" in definition["pattern"] else "#ff5630"
        return {"shortName": ":tada:", "background": "#fffae6", "panelColor": "#fffae6"}.get(name, self._ident())

    def _ident(self) -> str:
        self._count += 1
        return f"i{self._count}"

    def _phrase(self, most: int) -> str:
        return " ".join(self._word() for _ in range(self._random.randint(1, most)))

    def _word(self) -> str:
        while True:
            word = "".join(self._random.choices(self._random.choice(_LETTERS), k=6))
            if not any(word in other for other in self.words):
                self.words.append(word)
                return word


def _resolved(definition: Node) -> Node:
    if "$ref" in definition:
        return _resolved(schema()["definitions"][definition["$ref"].rpartition("/")[2]])
    if "allOf" not in definition:
        return definition
    parts = [_resolved(part) for part in definition["allOf"]]
    properties = {key: value for part in parts for key, value in part.get("properties", {}).items()}
    return {"properties": properties, "required": [key for part in parts for key in part.get("required", ())]}


def _kinds(definition: Node) -> frozenset[str]:
    definition = _resolved(definition)
    if "anyOf" in definition:
        return frozenset(kind for each in definition["anyOf"] for kind in _kinds(each))
    return frozenset(definition.get("properties", {}).get("type", {}).get("enum", ()))
