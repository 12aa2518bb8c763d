"""YAML text to data with the place of each part, and back. Pure.

PyYAML reads YAML 1.1, in which `no` is false and 010 is eight. Here it only finds the parts; what a plain scalar means
is told by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `no` is text, 010 is ten. What is
written is in quotes wherever any reader could take it for something else than text.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from shared.as_code.findings import Document, Finding, Path, Place

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_PARTS: Final = 500_000
"""Counted with what aliases repeat, so that a small file cannot fill the memory."""

_NULL: Final = re.compile(r"|~|null|Null|NULL")
_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT: Final = re.compile(r"[-+]?[0-9]+")
_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SAFE: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.@/-]|:(?=[A-Za-z0-9/])| (?=[A-Za-z0-9]))*")
_AMBIGUOUS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))
_INLINE: Final = frozenset(("types", "values"))
"""Lists of pairs of values: one line each."""


class _Bad(Exception):
    def __init__(self, mark: yaml.Mark, words: str) -> None:
        super().__init__(words)
        self.mark = mark


def read_yaml(raw: bytes) -> Document | Finding:
    """Return the document, or why it is none."""
    if len(raw) > MAX_BYTES:
        return Finding((), f"the file is over {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Finding((), f"the file is not UTF-8 (byte {error.start})")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        if root is None:
            return Finding((), "the file is empty")
        builder = _Builder()
        data = builder.build(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part)
        return Finding((), f"this is not YAML: {words}", place=_place(mark) if mark else None)
    except _Bad as error:
        return Finding((), str(error), place=_place(error.mark))
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        words = f"the character {error.character!r} is not allowed in YAML"
        return Finding((), words, place=Place(len(lines), len(lines[-1]) + 1))
    except RecursionError:
        return Finding((), "the file is nested too deep")
    return Document(data, builder.values, builder.keys, builder.texts)


class _Builder:
    def __init__(self) -> None:
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.texts: dict[Path, str] = {}
        self._open: set[int] = set()
        self._parts = 0

    def build(self, node: yaml.Node, path: Path) -> Any:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _Bad(node.start_mark, f"the file has more than {MAX_PARTS} parts")
        if node.tag not in _PLAIN_TAGS and node.tag != "!":
            raise _Bad(node.start_mark, f"the tag {node.tag} means nothing here")
        if id(node) in self._open:
            raise _Bad(node.start_mark, "this contains itself")
        self.values[path] = _place(node.start_mark)
        self._open.add(id(node))
        try:
            return self._content(node, path)
        finally:
            self._open.remove(id(node))

    def _content(self, node: yaml.Node, path: Path) -> Any:
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [self.build(each, (*path, number)) for number, each in enumerate(node.value)]
            case _:
                value = node.value if node.style else core_value(node.value)
                if value is not None and not isinstance(value, str):
                    self.texts[path] = node.value
                return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Bad(key.start_mark, "the name of a property must be text")
            if key.value in found:
                raise _Bad(key.start_mark, f"{key.value} is there twice")
            self.keys[*path, key.value] = _place(key.start_mark)
            found[key.value] = self.build(value, (*path, key.value))
        return found


def core_value(text: str) -> Any:
    """Return what a plain scalar means by the core schema of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    try:
        if _INT.fullmatch(text):
            return int(text)
        if _RADIX.fullmatch(text):
            return int(text[2:], 8 if text[1] == "o" else 16)
    except ValueError:
        # More digits than Python converts: no number that anything here could want.
        return text
    if _FLOAT.fullmatch(text) or _ODD.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def write_yaml(data: dict[str, Any], heading: str) -> str:
    """Return the text of a file. `heading`: comment lines, without their #."""
    comments = "".join(f"# {line}".rstrip() + "\n" for line in heading.splitlines())
    body = yaml.dump(_laid_out(data), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**20, indent=2)
    return f"{comments}{body}"


class _OneLine(dict[str, Any]):
    """A small mapping that is written on one line."""


def _laid_out(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _laid_out(each, key) for key, each in value.items()}
    if isinstance(value, list | tuple):
        if name in _INLINE and all(isinstance(each, dict) for each in value):
            return [_OneLine(each) for each in value]
        return [_laid_out(each) for each in value]
    return value


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # untyped
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002  # theirs
        """Indent lists below their name, as people do."""
        del indentless
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything in full."""
        del data
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    plain = _SAFE.fullmatch(text) and text.lower() not in _AMBIGUOUS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _one_line(dumper: _Dumper, data: _OneLine) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_OneLine, _one_line)


def _place(mark: yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)
