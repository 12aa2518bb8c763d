"""An edit in Craft.io leaves all that it did not touch in Jira's markup as it was written, character by character."""

from __future__ import annotations

import random
import re

import pytest

from shared.richtext.forms import carry, equivalent
from shared.richtext.wiki import parse_wiki
from tests.unit.richtext.wiki_sources import SourceMaker

SOURCES = 60


def shown(source: str) -> str:
    made = carry({"wiki": source}, None, "html")
    return "" if made is None else str(made["html"])


def edited(source: str, old: str, new: str) -> str:
    """Return the source after `old` was replaced by `new` in what Craft.io shows of it."""
    html = shown(source)
    assert html.count(old) == 1, html
    merged = carry({"html": html.replace(old, new)}, {"wiki": source}, "wiki")
    assert merged is not None
    assert equivalent(merged, {"html": html.replace(old, new)})
    return str(merged["wiki"])


@pytest.mark.parametrize("part", range(3))
def test_one_word_of_a_random_source_changes_and_nothing_else(part: int) -> None:
    for seed in range(part, SOURCES, 3):
        source = SourceMaker(seed).source()
        html = shown(source)
        words = [word for word in re.findall(r"word\d+x", html) if html.count(word) == 1]
        for word in random.Random(seed).sample(words, min(2, len(words))):
            assert edited(source, word, "changed") == source.replace(word, "changed"), seed


@pytest.mark.parametrize(
    "source",
    [
        "h1. A\nh2. B\nText of B\n* one\n* two\n\n\n \nLast word",
        "# Open page\n** as admin\n#* or as guest\n# Press save\n\nword",
        " * a\n *  b\n-c-\n\nword",
        "||Name||State\n|Login|done\n|Logout|open\n\nword",
        "{foo:bar=1|b}*x* (/) :D{foo} and {toc} -- ??who?? !a.png|thumbnail! [^file.zip] [~user] word",
        "{panel:borderColor=#ccc|title=T|bgColor=#FFFFCE}\n\n* a (x)\n{panel}\nword",
        "{quote}said{quote} word",
        "bq. said (i)\nword",
        "{noformat:nopanel=true}\n(x)\n{noformat}\nword",
        "{code:title=A.java|borderStyle=solid}\nint a = 1;\n{code}\n\n\nword",
        "[a|https://x.example/a|a tip] [b|ABC-1] [c] {anchor:here}word",
        "{color:red}*a* b{color} {color:#ff0000}c{color} word",
        "a{*}b{*}c \\{x\\} \\* &amp; &#42; C:\\temp \\\\srv\\share word\\\\ d\\\\\ne",
    ],
)
def test_what_stands_beside_an_edit_stays(source: str) -> None:
    assert edited(source, "word", "(x) and *more*") == source.replace("word", "\\(x) and \\*more\\*")


@pytest.mark.parametrize(
    ("source", "old", "new", "wanted"),
    [
        ("# Open page\n** as admin\n# Press save", "save", "Save", "# Open page\n** as admin\n# Press Save"),
        ("# a\n** b (x)\n# c", "b", "B", "# a\n** B (x)\n# c"),
        ("* a (x)\n* b", "<li>b</li>", "<li>b</li><li>c * d</li>", "* a (x)\n* b\n* c * d"),
        ("* a\n** b (x)\n* c", "<li>c</li>", "", "* a\n** b (x)"),
        ("|a (x)|b|\n|c|d", "<td>d</td>", "<td>e</td>", "|a (x)|b|\n|c|e"),
        ("|a (x)| b |", ">b<", "><b>b</b> | c<", "|a (x)| *b* &#124; c |"),
        ("[one two|https://x.example/a|a tip] (x)", "two", "three", "[one three|https://x.example/a|a tip] (x)"),
        ("*bold {color:red}and red{color}* (x)", "and", "or", "*bold {color:red}or red{color}* (x)"),
        ("{quote}a (x)\nnext{quote}", "next", "last", "{quote}a (x)\nlast{quote}"),
        ("bq. a (x)", ">a", ">b", "bq. b (x)"),
        ("{code:java|title=T}x{code}", ">x<", ">y<", "{code:java|title=T}y{code}"),
        ("{panel:title=T|a=b}one{panel}", "one", "two", "{panel:title=T|a=b}two{panel}"),
        ("{quote}\n⚠️ careful (x)\n{quote}", "careful", "beware", "{quote}\n⚠️ beware (x)\n{quote}"),
        ("a\n\n\n\nb", "<p>a</p>", "<p>a</p><p>new</p>", "a\n\nnew\n\n\n\nb"),
        ("* ☐ a (x)\n* ☑ b", "☐", "☑", "* ☑ a (x)\n* ☑ b"),
        ("(x) no", "(x) no", "(x) yes", "(x) yes"),
        ("see (on", "(on", "(on)", "see \\(on)"),
        ("a * b", "b", "*b*", "a * \\*b\\*"),
    ],
)
def test_only_the_changed_part_is_written_anew(source: str, old: str, new: str, wanted: str) -> None:
    assert edited(source, old, new) == wanted


def test_a_colour_over_paragraphs_survives_an_edit_of_one_of_them() -> None:
    source = "{color:#ff5630}First part\n\nsecond part{color}\n\nOther"
    wanted = "{color:#ff5630}First part{color}\n\n{color:#ff5630}third part{color}\n\nOther"
    assert edited(source, "second", "third") == wanted


@pytest.mark.parametrize(
    "unit", ["\\\\a", "\\\\", "[a", "!a", "{color:red}", "*a _b", "{{a", "??", "(*", "||a\n", "{quote}"]
)
def test_any_source_is_read_in_time_in_proportion_to_its_length(unit: str) -> None:
    """Counted in steps, not in seconds: a reader that goes back and forth would not end at all."""
    assert parse_wiki(unit * (20_000 // len(unit))).blocks
