"""What the code says that the manifests have to agree with: settings, ports, paths, commands, topics, times to stop."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Final

from shared.clients.settings import VendorSettings
from shared.runtime import service as service_runtime
from shared.runtime.access import ACCESS
from shared.runtime.settings import ServiceSettings, SettingsInvalid, load_settings
from shared.runtime.stopping import STOP_WITHIN_S
from shared.runtime.topics import DEFAULT_PREFIX, POLICIES
from tandem_ops.settings_reference import SETTINGS_CLASSES, all_settings

HTTP_PORT: Final[int] = ServiceSettings.model_fields["http_port"].default
SERVICES: Final = tuple(SETTINGS_CLASSES)
TO_SPARE_S: Final = 5.0
"""Between the time that a service takes to end and the moment at which it is killed."""
READY_ANSWERS_IN_S: Final = 2.0
"""How long `/readyz` waits for Kafka and Postgres."""
POSTGRES_VARIABLES: Final = frozenset({"PGSSLMODE", "PGSSLROOTCERT"})
"""Of the variables that asyncpg reads, those that a deployment may set."""
GROUPS: Final = frozenset(DEFAULT_PREFIX + group for access in ACCESS.values() for group in access.groups)
PARTITIONS: Final[Mapping[str, int]] = {
    DEFAULT_PREFIX + group: max(POLICIES[topic].partitions for topic in access.reads)
    for access in ACCESS.values()
    for group in access.groups
}
"""By consumer group: more members than its busiest topic has partitions would have nothing to do."""


def asks_vendors(service: str) -> bool:
    """Tell whether a service asks Jira or Craft.io."""
    return issubclass(SETTINGS_CLASSES[service], VendorSettings)


def runs(module: str) -> bool:
    """Tell whether `python -m module` would find something to run."""
    try:
        found = importlib.util.find_spec(module)
        if found is not None and found.submodule_search_locations is not None:
            found = importlib.util.find_spec(f"{module}.__main__")
    except ModuleNotFoundError:
        return False
    return found is not None


@cache
def http_paths() -> frozenset[str]:
    """Return the paths that every service answers without being asked to by a route of its own."""
    return frozenset(re.findall(r'web\.get\("(/\w+)"', inspect.getsource(service_runtime)))


@cache
def known_variables() -> frozenset[str]:
    """Return every TANDEM_ variable that anything reads, those that name files too."""
    found = all_settings().values()
    return frozenset(each.variable for each in found) | frozenset(each.file_variable for each in found)


@cache
def secret_variables() -> frozenset[str]:
    """Return the variables of settings that are secret."""
    return frozenset(each.variable for each in all_settings().values() if each.secret)


def settings_problems(service: str, environment: Mapping[str, str]) -> list[str]:
    """Return what the service would say of this environment when it starts."""
    with _environment(environment):
        try:
            load_settings(SETTINGS_CLASSES[service])
        except SettingsInvalid as error:
            return error.problems
    return []


@contextmanager
def _environment(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith("TANDEM_"):
            del os.environ[name]
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def grace_needed_s(pre_stop_s: float) -> float:
    """Return the least `terminationGracePeriodSeconds` of a pod that sleeps so long before it is told to end."""
    return STOP_WITHIN_S + TO_SPARE_S + pre_stop_s
