"""The reference of the settings: complete, described, and as fresh as the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem_ops.settings_docs import DOCUMENT, document
from tandem_ops.settings_reference import SETTINGS_CLASSES, all_settings, settings_of

ROOT = Path(__file__).resolve().parents[3]


def test_every_service_is_in_it() -> None:
    assert set(SETTINGS_CLASSES) == {path.parent.name for path in (ROOT / "services").glob("*/settings.py")}


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, one in all_settings().items() if not one.description] == []


@pytest.mark.parametrize("service", SETTINGS_CLASSES)
def test_a_setting_is_the_same_to_all_who_read_it(service: str) -> None:
    for name, one in settings_of(service).items():
        merged = all_settings()[name]
        assert service in merged.read_by
        assert (one.default, one.type, one.bounds) == (merged.default, merged.type, merged.bounds)


def test_what_holds_a_secret_is_marked_so() -> None:
    secrets = {name for name, one in all_settings().items() if one.secret}
    needed = {"TANDEM_DATABASE_URL", "TANDEM_SECRET_KEY", "TANDEM_CONSOLE_TOKEN", "TANDEM_KAFKA_PASSWORD"}
    assert secrets >= needed
    assert {name for name in all_settings() if "PASSWORD" in name or name.endswith(("_TOKEN", "_KEY"))} <= secrets


def test_types_bounds_units_and_defaults_are_told() -> None:
    timeout = all_settings()["TANDEM_KAFKA_SESSION_TIMEOUT_S"]
    assert (timeout.type, timeout.unit, timeout.default) == ("number", "seconds", "10")
    assert timeout.bounds == "at least 1, at most 300"
    assert timeout.file_variable == "TANDEM_KAFKA_SESSION_TIMEOUT_S_FILE"
    assert all_settings()["TANDEM_DATABASE_URL"].read_by == (*SETTINGS_CLASSES, "migrate", "tandem")
    assert all_settings()["TANDEM_CONSOLE_TOKEN"].read_by == ("console", "tandem")


def test_the_page_is_fresh() -> None:
    assert DOCUMENT.read_text() == document(), "run: python -m tandem_ops.settings_docs"
