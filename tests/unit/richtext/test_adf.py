"""ADF: always valid, and the same after the way there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.richtext.adf import parse_adf, to_adf
from shared.richtext.adf.fit import fit_adf
from shared.richtext.canonical import canonical
from shared.richtext.model import Document
from tests.unit.richtext.documents import documents, laws, rootless, schema_errors

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(("paragraph", "text", "doc", "taskList")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "content", "attrs", "marks", "text", "url", "level", "id", "state")),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@laws
@given(documents)
def test_what_is_written_validates_against_the_published_schema(document: Document) -> None:
    assert schema_errors(to_adf(document)) == []


@laws
@given(documents)
def test_what_is_written_is_read_as_the_same_document(document: Document) -> None:
    assert canonical(parse_adf(to_adf(document))) == canonical(Document(fit_adf(canonical(document).blocks)))


@laws
@given(documents)
def test_nodes_that_were_read_are_written_word_by_word(document: Document) -> None:
    adf = to_adf(document)
    assert to_adf(parse_adf(adf)) == adf


@laws
@given(documents)
def test_canonical_is_idempotent(document: Document) -> None:
    assert canonical(canonical(document)) == canonical(document)


@laws
@given(junk)
def test_reading_never_raises(node: object) -> None:
    to_adf(parse_adf(node))
    to_adf(rootless(parse_adf(node)))


def test_nesting_without_end_is_read_as_text() -> None:
    node: dict[str, object] = {"type": "paragraph", "content": [{"type": "text", "text": "deep"}]}
    for _ in range(5000):
        node = {"type": "blockquote", "content": [node]}
    assert "deep" in repr(rootless(parse_adf({"type": "doc", "version": 1, "content": [node]})))
