"""What an edit in Craft.io did not touch survives it in Jira, node by node, whatever it is.

The documents are Jira's own (`foreign`), the edits are made in the HTML, and what must be there afterwards is told from
the JSON: no reader, writer or merge of ours has a say in it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from shared.richtext.forms import carry, equivalent
from tests.unit.richtext.documents import schema_errors
from tests.unit.richtext.foreign import foreign, nodes, reading, replaced
from tests.unit.richtext.from_schema import SchemaMaker

Node = dict[str, Any]
SEEDS = range(10)
SCHEMA_DOCUMENTS = 60
_IN_LINES = frozenset({
    "mention", "date", "status", "emoji", "inlineExtension", "inlineCard", "mediaInline", "placeholder", "media",
})  # fmt: skip


def html_of(document: Node) -> str:
    shown = carry({"adf": document}, None, "html")
    assert shown is not None
    html: str = shown["html"]
    return html


def back(document: Node, html: str) -> Node:
    """Return the document once the HTML was carried back; it is valid, agrees with the HTML, and stays as it is."""
    merged = carry({"html": html}, {"adf": document}, "adf")
    assert merged is not None
    assert schema_errors(merged["adf"]) == []
    assert equivalent(merged, {"html": html})
    assert carry({"html": html}, merged, "adf") == merged
    adf: Node = merged["adf"]
    return adf


def words_of(seed: int) -> tuple[Node, str, list[str]]:
    """Return a document, its HTML, and words that stand once in both."""
    document, words = foreign(seed)
    html = html_of(document)
    return document, html, [word for word in words if html.count(word) == 1]


def small(document: Node) -> Counter[str]:
    """Count what stands in lines, and files."""
    return Counter({told: count for told, count in nodes(document).items() if json.loads(told)["type"] in _IN_LINES})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_documents_are_what_jira_may_hold(seed: int) -> None:
    document, words = foreign(seed)
    assert schema_errors(document) == []
    assert words


@pytest.mark.parametrize("seed", SEEDS)
def test_a_word_that_is_changed_changes_nothing_but_itself(seed: int) -> None:
    document, html, words = words_of(seed)
    for word in random.Random(seed).sample(words, min(4, len(words))):
        new = "renewed" if word.isascii() else "新語"
        assert reading(back(document, html.replace(word, new))) == reading(replaced(document, word, new)), word


def test_a_word_of_whatever_the_schema_allows_costs_no_other_node() -> None:
    tried = 0
    for seed in range(SCHEMA_DOCUMENTS):
        maker = SchemaMaker(seed)
        document = maker.document()
        html = html_of(document)
        told = json.dumps(document, ensure_ascii=False)
        words = [word for word in maker.words if told.count(word) == html.count(word) == 1]
        for word in random.Random(seed).sample(words, min(1, len(words))):
            tried += 1
            merged = carry({"html": html.replace(word, f"{word}s")}, {"adf": document}, "adf")
            assert merged is not None
            lost = nodes(replaced(document, word, f"{word}s")) - nodes(merged["adf"])
            # a letter behind the name of a file or macro may be taken for a word of the line
            assert not {node for node in lost if f"{word}s" not in node}, (seed, word, lost)
            assert {node.replace(f"{word}s", word) for node in lost} <= nodes(merged["adf"]).keys(), (seed, lost)
    assert tried > SCHEMA_DOCUMENTS / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_word_more_or_less_changes_nothing_but_itself(seed: int) -> None:
    document, html, words = words_of(seed)
    told = json.dumps(document, ensure_ascii=False)
    within = [w for w in words if any(f"{w} {other}" in told and f"{w} {other}" in html for other in words)]
    for word in random.Random(seed).sample(within, min(2, len(within))):
        added = replaced(document, f"{word} ", f"{word} and ")
        assert reading(back(document, html.replace(f"{word} ", f"{word} and ", 1))) == reading(added)
        less = replaced(document, f"{word} ", "")
        assert reading(back(document, html.replace(f"{word} ", "", 1))) == reading(less)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_new_paragraph_leaves_all_nodes(seed: int) -> None:
    document, html, _ = words_of(seed)
    soup = BeautifulSoup(html, "html.parser")
    new = soup.new_tag("p")
    new.string = "A line that was not there"
    random.Random(seed).choice([tag for tag in soup.contents if isinstance(tag, Tag)]).insert_after(new)
    lost = nodes(document) - nodes(back(document, str(soup)))
    assert not [told for told in lost if json.loads(told)["type"] != "caption"]  # what is put between ends a caption


def _split(soup: BeautifulSoup, paragraph: Tag) -> None:
    texts = [
        t for t in paragraph.contents if isinstance(t, NavigableString) and " " in t.strip() and not set("[📎") & set(t)
    ]
    if not texts:
        return
    first, _, rest = texts[0].partition(" ")
    second = soup.new_tag("p")
    following = list(texts[0].next_siblings)
    texts[0].replace_with(NavigableString(first))
    second.append(NavigableString(rest))
    for part in following:
        second.append(part.extract())
    paragraph.insert_after(second)


def _joined(_: BeautifulSoup, paragraph: Tag) -> None:
    following = paragraph.find_next_sibling()
    if following is not None and following.name == "p" and not following.get_text().startswith("📎"):
        paragraph.append(" ")
        for part in list(following.extract().contents):
            paragraph.append(part.extract())


def _listed(soup: BeautifulSoup, paragraph: Tag) -> None:
    listing = paragraph.wrap(soup.new_tag("ul"))
    paragraph.wrap(soup.new_tag("li"))
    assert listing.li is not None


def _quoted(soup: BeautifulSoup, paragraph: Tag) -> None:
    paragraph.wrap(soup.new_tag("blockquote"))


def _moved(soup: BeautifulSoup, paragraph: Tag) -> None:
    soup.append(paragraph.extract())


@pytest.mark.parametrize("edit", [_split, _joined, _listed, _quoted, _moved])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_stands_in_a_line_goes_where_its_words_go(seed: int, edit: Callable[[BeautifulSoup, Tag], None]) -> None:
    document, html, _ = words_of(seed)
    soup = BeautifulSoup(html, "html.parser")
    top = [p for p in soup.find_all("p", recursive=False) if not p.get_text().startswith(("📎", "◇"))]
    if top:
        edit(soup, random.Random(seed).choice(top))
    assert not small(document) - small(back(document, str(soup)))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_removed_takes_nothing_else_with_it_and_no_file_goes(seed: int) -> None:
    document, html, words = words_of(seed)
    soup = BeautifulSoup(html, "html.parser")
    telling = [tag for tag in soup.contents if isinstance(tag, Tag) and any(word in tag.get_text() for word in words)]
    gone = random.Random(seed).choice(telling)
    removed = gone.extract().get_text()
    left = back(document, str(soup)) if soup.get_text().strip() else document
    for node in document["content"]:
        told = json.dumps(node, ensure_ascii=False)
        own = [word for word in words if word in told]
        if own and not any(word in removed for word in own) and "layoutSection" not in told:
            assert node in left["content"]
    assert _files(left) == _files(document)
    assert _files((carry({"html": "<p>Nothing of it</p>"}, {"adf": document}, "adf") or {})["adf"]) == _files(document)


def _files(document: Node) -> set[str]:
    told = [json.loads(told) for told in nodes(document)]
    return {node["attrs"]["id"] for node in told if node["type"] in ("media", "mediaInline")}
