"""Wiki markup: the same after the way there and back, and plain text never turns into markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.richtext.canonical import canonical
from shared.richtext.html import to_html
from shared.richtext.model import Document, Paragraph, Text
from shared.richtext.readable import PANEL_SIGNS, plainer
from shared.richtext.wiki import parse_wiki, to_wiki
from shared.richtext.wiki.fit import fit_wiki
from tests.unit.richtext.documents import HOSTILE, documents, laws, rootless, settled, texts

NOTATION = (
    "\n", "\n", "\n", "* a", "** b", "# c", "|a|b|", "||h||", "{quote}", "{panel:title=x|bgColor=#deebff}", "{panel}",
    "{code:java}", "{code}", "*b*", "_i_", "{*}s{*}", "[a|http://x.example]", "!a.png|thumbnail!", "{color:red}",
    "{color}", "{{code}}", "{{noformat}}", "{noformat}", "bq. q", "h2. t", " ", "x",
)  # fmt: skip
HEAD = "<tr><th>h</th><th>i</th></tr>"
INFO = PANEL_SIGNS["info"]
markup = st.lists(st.sampled_from(HOSTILE + NOTATION) | st.text(max_size=4), max_size=15).map("".join)


def shown(document: Document) -> Document:
    held = canonical(Document(fit_wiki(canonical(document).blocks)))
    return settled(Document(plainer(held.blocks)))


@laws
@given(documents)
def test_what_is_written_is_read_as_the_same_document(document: Document) -> None:
    assert shown(parse_wiki(to_wiki(document))) == shown(document)


@laws
@given(markup)
def test_any_markup_is_read_and_means_the_same_when_written_anew(source: str) -> None:
    document = parse_wiki(source)
    assert shown(parse_wiki(to_wiki(rootless(document)))) == shown(document)


@laws
@given(markup)
def test_markup_that_was_read_means_the_same_when_given_back(source: str) -> None:
    document = parse_wiki(source)
    assert canonical(parse_wiki(to_wiki(document))) == canonical(document)


@laws
@given(texts)
def test_plain_text_never_turns_into_markup(text: str) -> None:
    document = Document((Paragraph((Text(text),)),))
    assert shown(parse_wiki(to_wiki(document))) == settled(document)


@laws
@given(documents)
def test_fitting_is_idempotent(document: Document) -> None:
    held = canonical(Document(fit_wiki(canonical(document).blocks)))
    assert canonical(Document(fit_wiki(held.blocks))) == held


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("well-known snake_case 2*3", "well-known snake_case 2*3"),
        ("a - b - c", "a - b - c"),
        ("from -5 to -3", r"from \-5 to \-3"),
        ("*not bold*", r"\*not bold\*"),
        ("# no list", r"\# no list"),
        ("- no list", r"\- no list"),
        ("h1. no heading", "h1&#46; no heading"),
        ("----", r"\-\-\-\-"),
        ("{code}", r"\{code\}"),
        ("[a|b]", r"\[a|b\]"),
        (r"C:\temp", r"C:\temp"),
        (r"\\server\share", r"&#92;\server\share"),
        ("&amp;", "&#38;amp;"),
        ("!a.png! and !b.png!", r"\!a.png\! and \!b.png\!"),
    ],
)
def test_only_what_could_be_markup_is_escaped(text: str, markup: str) -> None:
    assert to_wiki(Document((Paragraph((Text(text),)),))) == markup


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("h2. A *b* _c_ -d-", "<h2>A <strong>b</strong> <em>c</em> <s>d</s></h2>"),
        ("+e+ ^f^ ~g~ {{h}}", "<p><u>e</u> <sup>f</sup> <sub>g</sub> <code>h</code></p>"),
        ("foo{*}bar{*}baz", "<p>foo<strong>bar</strong>baz</p>"),
        ("one\ntwo \\\\ three", "<p>one<br>two<br>three</p>"),
        ("bq. said", "<blockquote><p>said</p></blockquote>"),
        ("* a\n** b\n*# c\n* d", "<ul><li>a<ul><li>b</li></ul><ol><li>c</li></ol></li><li>d</li></ul>"),
        ("* a\n# b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        (
            "||h||i||\n|a|[b|https://x.example]|",
            f'<table><tbody>{HEAD}<tr><td>a</td><td><a href="https://x.example">b</a></td></tr></tbody></table>',
        ),
        ("{code:java}\na *b*\n{code}", '<pre><code class="language-java">a *b*</code></pre>'),
        (
            "{{code}} a {{quote}}\n\nb {{code}}",
            "<p><code>code</code> a <code>quote</code></p><p>b <code>code</code></p>",
        ),
        ("{noformat}{code}{noformat}", "<pre><code>{code}</code></pre>"),
        ("{code}\nuse {{code}} here\n{code}\n\nafter", "<pre><code>use {{code}} here</code></pre><p>after</p>"),
        ("{noformat}a {{noformat}}{noformat}", "<pre><code>a {{noformat}}</code></pre>"),
        ("{code}if (a) {{code}", "<pre><code>if (a) {</code></pre>"),
        ("{code}{a}{code}}", "<pre><code>{a}</code></pre><p>}</p>"),
        (
            "{quote}\n{code}\n{{code}} {quote}\n{code}\n{quote}",
            "<blockquote><pre><code>{{code}} {quote}</code></pre></blockquote>",
        ),
        (
            "|{code}{{code}} a|b{code}|",
            "<table><tbody><tr><td><pre><code>{{code}} a|b</code></pre></td></tr></tbody></table>",
        ),
        (
            "{panel:title=T|bgColor=#deebff}\nx\n{panel}",
            f"<blockquote><p>{INFO} <strong>T</strong></p><p>x</p></blockquote>",
        ),
        ("[~bob] [~accountid:5b-1]", "<p>@bob @5b-1</p>"),
        ("!shot.png|thumbnail! [^log.txt]", "<p>📎 shot.png 📎 log.txt</p>"),
        ("{color:red}a{color}", '<p><span style="color:#ff0000">a</span></p>'),
        ("{color:#00FF00}b{color}", '<p><span style="color:#00ff00">b</span></p>'),
        ("see https://x.example/a_b_c.", '<p>see <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>.</p>'),
        ("----", "<hr>"),
        ("a{anchor:x} b", "<p>a b</p>"),
        ("{unknown} and *open", "<p>{unknown} and *open</p>"),
        ("[js|javascript:alert(1)]", "<p>[js|javascript:alert(1)]</p>"),
    ],
)
def test_jiras_notation_is_read_as_jira_shows_it(source: str, html: str) -> None:
    assert to_html(parse_wiki(source)) == html
