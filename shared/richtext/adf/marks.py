"""Marks of ADF -> a look and what a look cannot say, and back. Pure; never raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from shared.richtext import text as texts
from shared.richtext.canonical import tidy_look
from shared.richtext.model import NO_LOOK, Look, Style

Mark = Mapping[str, Any]
_STYLES: frozenset[Style] = frozenset(get_args(Style))
_STYLE_MARKS: dict[Style, dict[str, Any]] = {
    style: {"type": "subsup", "attrs": {"type": style}} if style in ("sub", "sup") else {"type": style}
    for style in get_args(Style)
}
_ORDER: tuple[Style, ...] = ("em", "strong", "strike", "underline", "sub", "sup", "code")
_BESIDE_CODE = frozenset({"code", "link", "annotation"})


def read_marks(marks: object) -> tuple[Look, tuple[Mark, ...]]:
    """Return how marks look, and those of them that `write_marks` would not make of this look."""
    found = [mark for mark in marks if isinstance(mark, Mapping)] if isinstance(marks, list) else []
    if not found:
        return NO_LOOK, ()
    look = NO_LOOK
    for mark in found:
        look = _with(look, mark)
    said = write_marks(look)
    return look, tuple(mark for mark in found if mark not in said)


def write_marks(look: Look, own: Sequence[object] = ()) -> list[dict[str, Any]]:
    """Return the marks of a look, and those `own` ones that change nothing of what it says."""
    if look == NO_LOOK and not own:
        return []
    look = tidy_look(look)
    marks: list[dict[str, Any]] = []
    if look.link is not None:
        marks.append({"type": "link", "attrs": {"href": look.link}})
    marks += [_STYLE_MARKS[style] for style in _ORDER if style in look.styles]
    if look.color:
        marks.append({"type": "textColor", "attrs": {"color": look.color}})
    if look.background:
        marks.append({"type": "backgroundColor", "attrs": {"color": look.background}})
    for mark in own:
        if not isinstance(mark, Mapping):  # of another language
            continue
        kind = mark.get("type")
        if tidy_look(_with(look, mark)) != look or ("code" in look.styles and kind not in _BESIDE_CODE):
            continue
        same = [index for index, said in enumerate(marks) if said["type"] == kind and kind != "subsup"]
        if same:
            marks[same[0]] = dict(mark)
        else:
            marks.append(dict(mark))
    return marks


def _with(look: Look, mark: Mark) -> Look:
    """Return a look with what a mark says of it."""
    kind, attrs = mark.get("type"), mark.get("attrs")
    attrs = attrs if isinstance(attrs, Mapping) else {}
    name = attrs.get("type") if kind == "subsup" else kind
    styles = look.styles | {style for style in _STYLES if style == name}
    if kind == "link" and isinstance(attrs.get("href"), str):
        return replace(look, link=texts.safe_url(attrs["href"]) or look.link)
    if kind == "textColor":
        return replace(look, color=texts.color(attrs.get("color")) or look.color)
    if kind == "backgroundColor":
        return replace(look, background=texts.color(attrs.get("color")) or look.background)
    return replace(look, styles=styles) if styles != look.styles else look
