"""From bytes to JSON: everything that is JSON, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_gateway.domain.body import NotJson, parse

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=JSON_VALUES, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_every_json_value_is_read_as_it_is(value: object, encoding: str) -> None:
    assert parse(json.dumps(value).encode(encoding)) == value


@given(raw=st.binary(max_size=300))
def test_random_bytes_never_raise(raw: bytes) -> None:
    parse(raw)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"{}{}", b"\xff\xfe\xff", b"\x80", b'{"a": NaN}', b'{"a": -Infinity}', b"'a'", b"[" * 100_000, b"\x00"],
)
def test_what_is_not_json_is_said_to_be_none_without_repeating_it(raw: bytes) -> None:
    found = parse(raw)
    assert isinstance(found, NotJson)
    assert found.words


def test_ids_beyond_2_to_the_53_keep_all_digits() -> None:
    assert parse(b'{"id": 2312345678901234567}') == {"id": 2312345678901234567}


def test_numbers_that_no_float_holds_stay_text_and_are_never_null() -> None:
    assert parse(b"[1e999, -1e999]") == ["1e999", "-1e999"]
    assert parse(b"[" + b"9" * 5000 + b"]") == ["9" * 5000]


def test_the_last_of_duplicate_keys_counts() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


def test_half_a_surrogate_pair_is_kept() -> None:
    assert parse(b'"\\ud83d"') == "\ud83d"
