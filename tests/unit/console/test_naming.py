"""However people name an item, it is found: by id, by key, by an address out of the browser."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.console.domain.drafts import ItemRequestDraft
from services.console.domain.naming import named


@pytest.mark.parametrize(
    ("text", "ident"),
    [
        ("TAN-12", "TAN-12"),
        (" 10001 ", "10001"),
        ("https://x.atlassian.net/browse/TAN-12", "TAN-12"),
        ("https://x.atlassian.net/browse/TAN-12?focusedCommentId=7#c", "TAN-12"),
        ("https://jira.example/jira/browse/TAN-12", "TAN-12"),
        ("https://jira.example:8443/a/b/browse/TAN-12/", "TAN-12"),
        ("https://x.atlassian.net/jira/software/projects/TAN/boards/1?selectedIssue=TAN-12", "TAN-12"),
        ("https://x.atlassian.net/jira/software/c/projects/TAN/issues/TAN-12", "TAN-12"),
        ("https://app.craft.example/app/item/2300000000004000070", "2300000000004000070"),
        ("https://app.craft.example/workspace/1?item=2300000000004000070", "2300000000004000070"),
    ],
)
def test_an_item_is_named_by_id_key_or_address(text: str, ident: str) -> None:
    assert named(text) == ident
    draft = ItemRequestDraft.model_validate({"kind": "link", "integration_id": "i", "jira_id": text, "craft_id": text})
    assert (draft.jira_id, draft.craft_id) == (ident, ident)


@pytest.mark.parametrize(
    "text", ["", "a b", "https://x.atlassian.net", "https://x.atlassian.net/jira/dashboards", "http://[", "../x", "ä"]
)
def test_what_names_no_item_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="names no item"):
        named(text)


def test_the_words_of_a_refusal_say_what_to_give() -> None:
    with pytest.raises(ValidationError, match="give its key") as caught:
        ItemRequestDraft.model_validate({"kind": "pull", "integration_id": "i", "jira_id": "https://x.example/"})
    assert "pattern" not in str(caught.value)
