"""The gateway's limits have to go together."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.unit.gateway.harness import settings


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"webhook_max_bytes": 65 * 1024 * 1024}, "WEBHOOK_MAX_HELD_BYTES_EACH"),
        ({"webhook_max_held_bytes_each": 201 * 1024 * 1024}, "TANDEM_WEBHOOK_MAX_HELD_BYTES (209715200)"),
    ],
)
def test_room_that_is_too_small_for_one_body_is_said_at_the_start(changed: dict[str, int], words: str) -> None:
    with pytest.raises(ValidationError, match="must not be below") as refused:
        settings(**changed)
    assert words in str(refused.value)
