"""A fresh site with one project for each test of this folder."""

from __future__ import annotations

import pytest

from sandbox.jira.site import JiraSite
from tests.sandbox.jira.desk import Desk, TestClock

SECRET = "It's a Secret to Everybody"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def site(clock: TestClock) -> JiraSite:
    made = JiraSite(now=clock, base_url="https://jira.test")
    made.seed_project("APP", "App")
    return made


@pytest.fixture
def desk(site: JiraSite, clock: TestClock) -> Desk:
    return Desk(site, clock)
