"""The victims that tests lend each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.stage import Victims


@pytest.fixture(scope="session")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    """Yield victims that live until the last test has ended."""
    found = Victims(tmp_path_factory.mktemp("victims"))
    try:
        yield found
    finally:
        found.end()
