"""Documents as people keep them in Jira, of the kinds that Craft.io has no element for; and readers of their own.

Each node has a sign that stands in Craft.io's text for it (a name, a day, a word that nobody edits) and beside it a
word that people do edit (`w007`). Nothing here reads or writes by `shared.richtext`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

Node = dict[str, Any]
WORD = re.compile(r"(?<![a-z0-9])w\d{3}(?:refused|denied|broken)?")
_LINKS = ("tel:+4930123456", "slack://channel?id=C1", "file:///srv/share/plan.xlsx", "sip:desk@example.org")


class Dialect(Protocol):
    """How one edition of Jira holds a document."""

    def document(self, item: int) -> Any:
        """Return the first document of an item, with a node of each kind."""

    def more(self, value: Any, number: int, dice: Random) -> Any:
        """Return a document with one more node."""

    def changed(self, value: Any, old: str, new: str) -> Any:
        """Return a document with one word replaced."""

    def signs(self, value: Any) -> dict[str, str]:
        """Return each node that Craft.io has no element for, by what tells it apart, with its sign."""

    def words(self, value: Any) -> set[str]:
        """Return the words that people edit."""


def _text(words: str, *marks: Node) -> Node:
    return {"type": "text", "text": words, **({"marks": list(marks)} if marks else {})}


def _node(kind: str, *content: Node, **attrs: Any) -> Node:
    return {"type": kind, **({"attrs": attrs} if attrs else {}), "content": list(content)}


def _mention(number: int) -> Node:
    return {"type": "mention", "attrs": {"id": f"account-{number}", "text": f"@Sol{number}"}}


def _media(number: int, *marks: Node) -> Node:
    attrs = {"type": "file", "id": f"media-{number}", "collection": "", "alt": f"shot{number}.png"}
    return {"type": "media", "attrs": attrs, **({"marks": list(marks)} if marks else {})}


def _day(number: int) -> datetime:
    return datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=number)


class Cloud:
    """ADF."""

    def document(self, item: int) -> Node:
        kinds = range(9)
        return {"type": "doc", "version": 1, "content": [self._kind(k, 100 + 20 * item + k) for k in kinds]}

    def more(self, value: Any, number: int, dice: Random) -> Any:
        return {**value, "content": [*value["content"], self._kind(dice.randrange(9), 300 + number, number)]}

    def changed(self, value: Any, old: str, new: str) -> Any:
        return json.loads(json.dumps(value, ensure_ascii=False).replace(old, new))

    def words(self, value: Any) -> set[str]:
        return {word for node in _nodes(value) for word in WORD.findall(node.get("text", ""))}

    def signs(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in _nodes(value):
            attrs = node.get("attrs", {})
            match node["type"]:
                case "mention":
                    found[attrs["id"]] = attrs.get("text", attrs["id"])  # Jira shows the name itself
                case "date":
                    found[attrs["timestamp"]] = (
                        f"{datetime.fromtimestamp(int(attrs['timestamp']) / 1000, UTC):%Y-%m-%d}"
                    )
                case "media":
                    found[attrs["id"]] = attrs["alt"]
                case "decisionItem" | "panel":
                    found[attrs["localId"]] = f"sign{attrs['localId']}"
                case "bodiedExtension" | "inlineExtension":
                    found[attrs["extensionKey"]] = f"sign{attrs['extensionKey']}"
                case _:
                    pass
            for mark in node.get("marks", ()):
                if mark["type"] == "link" and "title" in mark["attrs"]:
                    found[mark["attrs"]["title"]] = f"sign{mark['attrs']['title']}"
        return found

    def _kind(self, kind: int, number: int, word: int | None = None) -> Node:
        told = f"w{number if word is None else word:03}"
        link = {"type": "link", "attrs": {"href": _LINKS[number % 4], "title": f"link{number}"}}
        match kind:
            case 0:
                return _node("paragraph", _text("请"), _mention(number), _text(f"看看 {told}"))
            case 1:
                midnight = str(int(_day(number).timestamp() * 1000))
                return _node(
                    "paragraph", _text("vom"), {"type": "date", "attrs": {"timestamp": midnight}}, _text(f"an {told}")
                )
            case 2:
                caption = _node("caption", _text(f"The {told} dialog"))
                return _node("mediaSingle", _media(number), caption, layout="center")
            case 3:
                first = _text(f"signdecision{number}a {told} with "), _mention(number)
                second = _text(f"signdecision{number}b no beta")
                items = [
                    _node("decisionItem", *told, localId=f"decision{number}{letter}", state="DECIDED")
                    for letter, told in (("a", first), ("b", (second,)))
                ]
                return _node("decisionList", *items, localId=f"list{number}")
            case 4:
                return _node("paragraph", _text("See "), _text(f"signlink{number}", link), _text(f" first {told}"))
            case 5:
                return _node(
                    "mediaSingle", _media(number, link), _node("caption", _text(f"at {told}")), layout="center"
                )
            case 6:
                body = _node("paragraph", _text(f"signmacro{number} body {told}"))
                attrs = {"extensionType": "app", "extensionKey": f"macro{number}", "parameters": {"a": number}}
                return _node("bodiedExtension", body, **attrs)
            case 7:
                picture = _node("mediaSingle", _media(number), layout="center")
                below = _node("paragraph", _text(f"signpanel{number} mind {told}"))
                return _node("panel", picture, below, panelType="warning", localId=f"panel{number}")
            case _:
                attrs = {"extensionType": "app", "extensionKey": f"inline{number}", "text": f"signinline{number}"}
                return _node("paragraph", {"type": "inlineExtension", "attrs": attrs}, _text(f" beside {told}"))


def _nodes(tree: Any) -> Iterator[Node]:
    yield tree
    for child in tree.get("content", ()):
        yield from _nodes(child)


class DataCenter:
    """Wiki markup as people write it."""

    def document(self, item: int) -> str:
        one = 100 + 20 * item
        told = f"|* open w{one + 2}\n* press|{{code}}\nw{one + 3} = 1\n{{code}}"
        return "\n\n".join(
            (
                f"||Name||State\n|[~sol{one}] w{one + 1}|(/) done\n" + told,
                f"# Open w{one + 4}\n** as admin (x)\n# Press w{one + 5}",
                f"{{color:#ff5630}}First w{one + 6}\n\nsecond [^file{one}.zip]{{color}}",
                f"!shot{one}.png|thumbnail! w{one + 7}\\\\below {{anchor:here{one}}} :D",
                f"{{panel:title=Plan{one}|borderStyle=dashed}}\nmind w{one + 8} ??who{one}??\n{{panel}}",
            )
        )

    def more(self, value: Any, number: int, dice: Random) -> str:
        sol = dice.choice(
            (f"[~sol{300 + number}]", f"!shot{300 + number}.png|thumbnail!", f"[^file{300 + number}.zip]")
        )
        return f"{value}\n\nAsk {sol} (!) w{number:03}"

    def changed(self, value: Any, old: str, new: str) -> str:
        return str(value).replace(old, new)

    def words(self, value: Any) -> set[str]:
        return set(WORD.findall(value))

    def signs(self, value: Any) -> dict[str, str]:
        found = {whole: f"@{name}" for whole, name in re.findall(r"(\[~(\w+)\])", value)}
        found |= dict(re.findall(r"(!(\w+\.png)\|thumbnail!)", value))
        found |= dict(re.findall(r"(\[\^(\w+\.zip)\])", value))
        found |= {f"{{{whole}}}": "" for whole in re.findall(r"\{(anchor:\w+)\}", value)}
        return found | {
            f"{{panel:{whole}|borderStyle=dashed}}": whole for whole in re.findall(r"title=(Plan\d+)", value)
        }
