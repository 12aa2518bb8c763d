"""Normal forms of rich text, and what can be done with them. Pure.

A normal form is JSON with one tag, the language: `{"adf": {…}}`, `{"wiki": "…"}` or `{"html": "…"}`; None is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, assert_never

from shared.richtext.adf import parse_adf, to_adf
from shared.richtext.adf.taken_out import kept_names, with_all_of
from shared.richtext.alike import JiraLanguage, all_alike, fit, shown
from shared.richtext.canonical import canonical, canonical_blocks
from shared.richtext.frames import unframed as gone_frames
from shared.richtext.html import parse_html, to_html
from shared.richtext.mend import mended
from shared.richtext.merge import Merge
from shared.richtext.model import Block, Document, Language
from shared.richtext.people import readable_lines, spoken
from shared.richtext.readable import opened
from shared.richtext.strays import Strays
from shared.richtext.wiki import parse_wiki, to_wiki

Form = dict[str, Any]


def from_jira(raw: object) -> Form | None:
    """Return Jira's value: an ADF document (REST v3), wiki markup (REST v2, webhooks), None if it is empty or odd."""
    if isinstance(raw, Mapping):
        return {"adf": raw} if raw else None
    return {"wiki": raw} if isinstance(raw, str) and raw.strip() else None


def from_craft(raw: object) -> Form | None:
    """Return Craft.io's value: HTML or plain text, None if it is empty or odd."""
    return {"html": raw} if isinstance(raw, str) and raw.strip() else None


def language_of(form: Form) -> Language:
    """Return the language of a normal form. Raises ValueError for what is none."""
    for language in ("adf", "wiki", "html"):
        if form.keys() == {language}:
            return language
    raise ValueError(f"rich text is stored as adf, wiki or html, but this has {sorted(form)}")


def parse(form: Form | None) -> Document:
    """Return the document of a normal form."""
    if form is None:
        return Document()
    match language_of(form):
        case "adf":
            return parse_adf(form["adf"])
        case "wiki":
            return parse_wiki(form["wiki"])
        case "html":
            return parse_html(form["html"])
        case never:
            assert_never(never)


def render(document: Document, language: Language) -> Form | None:
    """Return a document as a normal form, None if there is nothing in it."""
    match language:
        case "adf":
            adf = to_adf(document)
            return {"adf": adf} if adf["content"] else None
        case "wiki":
            wiki = to_wiki(document)
            return {"wiki": wiki} if wiki.strip() else None
        case "html":
            html = to_html(document)
            return {"html": html} if html.strip() else None
        case never:
            assert_never(never)


def same(left: Form | None, right: Form | None) -> bool:
    """Tell whether two values of one side are the same to a person: white space, the order of attributes, local ids,
    empty paragraphs and marks that change nothing do not count.
    """
    return left == right or _as_told(left) == _as_told(right)


def _as_told(form: Form | None) -> Document:
    """Return the document of one side as people can tell it apart: elements around blocks of HTML show nothing."""
    document = parse(form)
    around = form is not None and language_of(form) == "html"
    return canonical(Document(opened(document.blocks)) if around else document)


def equivalent(jira: Form | None, craft: Form | None) -> bool:
    """Tell whether a value in Jira and one in Craft.io mean the same, as far as both can show it."""
    language = _jira_language(jira)
    return all_alike(shown(parse(jira).blocks, language), shown(parse(craft).blocks, language))


def _jira_language(*forms: Form | None) -> JiraLanguage:
    return "wiki" if any(form is not None and "wiki" in form for form in forms) else "adf"


def carry(source: Form | None, onto: Form | None, language: Language) -> Form | None:
    """Return the new value of the other side, which speaks `language`: `source`, merged onto its present value.

    What did not change keeps the target's own nodes, word by word; what did is converted, and keeps those of its nodes
    whose words still stand. The result is equivalent to `source`; it is `onto` itself if that is so already. Carrying
    it once more changes nothing. Where `onto` is in another language than `language`, nothing of it can be kept:
    whoever wants Jira's own nodes to stay reads the target first. Raises ValueError for what is no normal form.
    """
    if onto is not None and language_of(onto) != language:
        onto = None
    jira: JiraLanguage = "wiki" if language == "wiki" else "adf" if language == "adf" else _jira_language(source)
    new, old = parse(source), parse(onto)
    to_craft = language == "html"
    wanted = shown(new.blocks, jira)

    def settled(target: Document) -> bool:
        there = shown(target.blocks, jira)
        return all_alike(wanted, there) if to_craft else all_alike(there, wanted)

    if settled(old):
        return onto
    fitted = fit(new.blocks, jira)
    if to_craft:
        fitted = canonical_blocks(opened(fitted))
    if onto is not None:
        merged = Merge(language, jira).blocks(fitted, old.blocks)
        best = Strays(language, jira).returned(merged, old.blocks)

        def again(block: Block) -> tuple[Block, ...]:
            return shown(parse(render(Document((block,)), language)).blocks, jira)

        for number in range(3):
            blocks = (best, merged)[number] if number < 2 else mended(best, fitted, wanted, again)
            value = _with_all(render(Document(blocks), language), onto)
            if settled(parse(value)):
                return value
    return _with_all(render(Document(fitted), language), onto)


def _with_all(form: Form | None, onto: Form | None) -> Form | None:
    """Return a value of Jira Cloud that still has all files and macros of the one that it replaces."""
    if onto is None or "adf" not in onto:
        return form
    adf = with_all_of(None if form is None else form["adf"], onto["adf"])
    return None if adf is None else {"adf": adf}


def taken_out(before: Form | None, now: Form | None) -> list[str]:
    """Return how people call what `carry` found in one value of Jira Cloud and kept at the end of the next."""
    known, kept = (kept_names(form["adf"] if form is not None and "adf" in form else None) for form in (before, now))
    return sorted((kept - known).elements())


def unframed(before: Form | None, now: Form | None) -> list[str]:
    """Return how people call the panels and expands of which an edit left only the words."""
    return gone_frames(parse(before), parse(now))


def words(form: Form | None) -> str:
    """Return only the words, one blank between them: equal for a value and for how Jira's changelog renders it.

    Names of people, pictures and dates are left out, for the changelog shows them otherwise.
    """
    return " ".join(re.findall(r"\w+", spoken(parse(form))))


def plain(form: Form | None) -> str:
    """Return text for people: line by line, with bullets, boxes and signs in the place of what only looks."""
    return "\n".join(readable_lines(parse(form)))
