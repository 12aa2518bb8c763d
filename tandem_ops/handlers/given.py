"""The settings of the doctor, as far as they can be had: what is wrong with one takes nothing else away."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from shared.runtime.settings import PREFIX, SettingsInvalid, load_settings
from tandem_ops.settings import PLACEHOLDERS, OpsSettings
from tandem_ops.settings_reference import FILE_SUFFIX, SETTINGS_CLASSES

KAFKA = frozenset(name for name in OpsSettings.model_fields if name.startswith("kafka_") or name == "topic_prefix")
POSTGRES = frozenset({"database_url"})
CREDENTIALS = frozenset({"database_url", "secret_key"})


@dataclass(frozen=True, slots=True)
class Given:
    """Settings, what is wrong with them, and which of them are therefore placeholders."""

    settings: OpsSettings
    problems: tuple[str, ...]
    """Each begins with the name of its variable."""
    wrong: frozenset[str]
    """Names of fields."""

    def has(self, fields: frozenset[str]) -> bool:
        """Tell whether these settings can be used."""
        return not self.wrong & fields


def given_settings() -> Given:
    """Return the settings of this process, and all that is wrong with those of any service that it has."""
    problems: list[str] = []
    try:
        settings = load_settings(OpsSettings)
    except SettingsInvalid as error:
        problems += error.problems
        settings = None
    problems += [each for each in _of_services() if each not in problems]
    wrong = frozenset(
        name for name in OpsSettings.model_fields for each in problems if _variable(each) == PREFIX + name.upper()
    )
    if settings is not None:
        return Given(settings, tuple(problems), wrong)
    try:
        return Given(_without(wrong), tuple(problems), wrong)
    except ValidationError:
        # Only how we log in to Kafka is of several settings that can contradict one another.
        wrong |= KAFKA
        return Given(_without(wrong), tuple(problems), wrong)


def _of_services() -> list[str]:
    """Return what is wrong with settings that only some service has, as far as they are set here."""
    found: list[str] = []
    for settings_class in SETTINGS_CLASSES.values():
        try:
            load_settings(settings_class)
        except SettingsInvalid as error:
            own = set(settings_class.model_fields) - set(OpsSettings.model_fields)
            found += [
                each
                for each in error.problems
                if _variable(each).removeprefix(PREFIX).lower() in own and " is missing" not in each
            ]
    return found


def _variable(problem: str) -> str:
    return problem.split(maxsplit=1)[0].rstrip(":").removesuffix(FILE_SUFFIX)


def _without(wrong: frozenset[str]) -> OpsSettings:
    """Return the settings with placeholders and defaults for those that are wrong. Raises ValidationError for settings
    that contradict one another.
    """
    fields = OpsSettings.model_fields
    instead: Mapping[str, object] = {name: PLACEHOLDERS.get(name, fields[name].get_default()) for name in wrong}
    return OpsSettings(**instead)  # type: ignore[arg-type]  # each is valid for its field


def set_secrets() -> dict[str, str]:
    """Return what is a password or token to others, by variable, as far as it is set in the environment itself."""
    names = ("TANDEM_CONSOLE_TOKEN", "TANDEM_KAFKA_PASSWORD")
    return {name: os.environ[name].strip() for name in names if os.environ.get(name, "").strip()}
