"""HTML: plain, safe, and the same after the way there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.richtext.canonical import canonical
from shared.richtext.html import parse_html, to_html
from shared.richtext.model import Document
from shared.richtext.readable import plainer
from tests.unit.richtext.documents import HOSTILE, documents, laws, settled

TAGS = (
    "<p>", "</p>", "<ul>", "<li>", "</li>", "</ul>", "<b>", "</b>", "<table>", "<tr>", "<td>", "</td>", "<pre>",
    "<a href='x'>", "<blockquote>", "<h1>", "<br>", "<div>", "<img src=x>",
)  # fmt: skip
soup = st.lists(st.sampled_from(TAGS) | st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=15).map("".join)


def plain(document: Document) -> Document:
    return settled(Document(plainer(canonical(document).blocks)))


@laws
@given(documents)
def test_what_is_written_is_read_as_the_same_document(document: Document) -> None:
    assert plain(parse_html(to_html(document))) == plain(document)


@laws
@given(soup)
def test_reading_never_raises(source: str) -> None:
    document = parse_html(source)
    assert plain(parse_html(to_html(document))) == plain(document)


@laws
@given(documents)
def test_panels_tasks_and_expands_are_known_again_by_their_signs(document: Document) -> None:
    read = parse_html(to_html(document))
    assert canonical(parse_html(to_html(read))) == canonical(read)


@pytest.mark.parametrize(
    "source",
    [
        "<p onclick='x()'>a</p>",
        "<script>alert(1)</script><p>a</p>",
        "<p><a href='javascript:alert(1)'>a</a></p>",
        "<p><a href=' java\nscript:alert(1)'>a</a></p>",
        "<style>p{}</style><p style='background:url(http://evil.example)'>a</p>",
        "<p>a</p><!-- <script>alert(1)</script> -->",
        "<svg onload=alert(1)></svg><p>a</p>",
        "<p><img src=x onerror=alert(1)>a</p>",
        "<iframe srcdoc='<script>x</script>'></iframe><p>a</p>",
    ],
)
def test_what_could_run_is_gone_even_from_elements_that_are_kept(source: str) -> None:
    shown = to_html(parse_html(source)).lower()
    assert "a" in shown
    for bad in ("script", "onclick", "onerror", "onload", "url(", "srcdoc", "<svg"):
        assert bad not in shown
