"""Characters, addresses, colours and names of programming languages, as all three languages can hold them. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from shared.richtext.model import Look, Text

# controls, halves of surrogate pairs, and what is no character
_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANK = re.compile(r"\s+")
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Letters that stand beside others without a blank where a word ends: Thai, Lao, Burmese, Khmer, Kana, Han, Hangul."""
WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
"""A word; of scripts without blanks, a letter."""
_STOPS = "\u2014\u2026\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_LAST = rf"(?:[^\W_{UNSPACED}{_STOPS}]|[/=#&%]|(?<![A-Za-z0-9])[{UNSPACED}])"
"""What an address may end with: a sign before a blank belongs to the sentence."""
_WITHIN = rf"""(?:[^\s\w<>"|\[\]{{}}\\^`'*()/=#&%{_STOPS}]|_|['*](?=[A-Za-z0-9]))"""
_ROUND = rf"\((?:{_LAST}|{_WITHIN}|\((?:{_LAST}|{_WITHIN})*\))*\)"
_SQUARE = rf"\[(?:{_LAST}|{_WITHIN})*\]"
_URL = re.compile(rf"(?<![A-Za-z0-9])https?://[A-Za-z0-9](?:{_WITHIN}*(?:{_LAST}|{_ROUND}|{_SQUARE}))*")
"""An address in a text. Brackets belong to it in pairs, as Atlassian's editor (linkify-it) has it."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNSAFE_IN_URL = re.compile(r"[\s\"<>\\^`{|}\[\]]")
_ALLOWED_SCHEMES = frozenset(
    f"{name}:"
    for name in (  # noqa: SIM905 - a list that can be read
        "http https mailto ftp ftps gopher integrity file smb dynamicsnav jamfselfservice skype callto facetime git irc"
        " irc6 news nntp feed cvs svn mvn ssh scp sftp itms notes hipchat sourcetree urn tel xmpp telnet vnc rdp"
        " whatsapp slack sip sips magnet"
    ).split()
)
"""What Jira's editor takes for safe: `isSafeUrl` of Atlassian's npm package `@atlaskit/adf-schema`, 57.7.22."""
_CODE_LANGUAGE = re.compile(r"[a-z0-9+#._-]{1,40}")
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})(?:[0-9a-f]{2})?")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/][^)]*)?\)")
_NAMED_COLORS = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
    "yellow": "#ffff00", "orange": "#ffa500", "purple": "#800080", "gray": "#808080", "grey": "#808080",
    "silver": "#c0c0c0", "brown": "#a52a2a", "maroon": "#800000", "navy": "#000080", "teal": "#008080",
    "olive": "#808000", "lime": "#00ff00", "aqua": "#00ffff", "cyan": "#00ffff", "fuchsia": "#ff00ff",
    "magenta": "#ff00ff", "pink": "#ffc0cb",
}  # fmt: skip


def clean(text: str) -> str:
    """Return text with LF line ends and without what is no character: controls, stray surrogates, byte order marks."""
    return text if text.isprintable() else _UNFIT.sub("", _LINE_END.sub("\n", text))


def one_line(text: str) -> str:
    """Return clean text with each run of white space as one blank, trimmed."""
    return _BLANK.sub(" ", clean(text)).strip()


def tidy_code(text: str) -> str:
    """Return the text of a code block: clean, without empty lines at its ends."""
    return clean(text).strip("\n")


def safe_url(url: str) -> str | None:
    """Return an address that may be a link, None if it may not: relative ones may, and those that Jira takes for safe.

    Characters that one of the languages takes for markup are percent-encoded. Idempotent.
    """
    url = clean(url).strip()
    scheme = _SCHEME.match(_BLANK.sub("", url))
    if not url or (scheme is not None and scheme[0].lower() not in _ALLOWED_SCHEMES):
        return None
    return _UNSAFE_IN_URL.sub(_percent, url)


def web_url(url: str) -> str | None:
    """Return a safe address of what a page may load: on the web, or relative."""
    safe = safe_url(url)
    scheme = _SCHEME.match(safe) if safe is not None else None
    return safe if scheme is None or scheme[0].lower() in ("http:", "https:") else None


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def file_name(url: str) -> str:
    """Return the last part of an address's path, for people."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return url
    return one_line(path.rstrip("/").rpartition("/")[2]) or one_line(url)


def code_language(name: object) -> str | None:
    """Return a programming language's name in small letters, None if there is none that all can hold."""
    if not isinstance(name, str):
        return None
    name = name.strip().lower()
    return name if _CODE_LANGUAGE.fullmatch(name) and name not in ("none", "plain", "text", "plaintext") else None


def color(value: object) -> str | None:
    """Return a colour as #rrggbb, None if it cannot be told."""
    if not isinstance(value, str):
        return None
    value = value.strip().lower()
    if found := _HEX.fullmatch(value):
        digits = found[1]
        return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))
    if found := _RGB.fullmatch(value):
        return "#" + "".join(f"{min(255, int(part)):02x}" for part in found.groups())
    return _NAMED_COLORS.get(value)


def linked(text: Text) -> list[Text]:
    """Part text at the addresses in it and make them links, as every editor shows them; code and links stay."""
    look = text.look
    if look.link is not None or text.atom or "://" not in text.text or "code" in look.styles:
        return [text]
    parts: list[Text] = []
    done = 0
    for found in _URL.finditer(text.text):
        url = safe_url(found[0])
        if url is None:
            continue
        if found.start() > done:
            parts.append(replace(text, text=text.text[done : found.start()]))
        parts.append(replace(text, text=found[0], look=Look(look.styles, url)))
        done = found.end()
    if done < len(text.text):
        parts.append(replace(text, text=text.text[done:]))
    return parts
