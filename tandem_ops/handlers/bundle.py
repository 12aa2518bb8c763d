"""Collects a support bundle: what can be looked at is in it, whatever else is away."""

from __future__ import annotations

import asyncio
import os
import platform
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from importlib.metadata import distributions
from typing import Final, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from shared.domain.clock import Clock
from shared.runtime.topics import Topic
from tandem_ops.domain.bundle import (
    SERVICES,
    TOPIC_SETTINGS,
    About,
    Bundle,
    DeadLetters,
    GroupFact,
    KafkaFacts,
    Sample,
    SettingFact,
    StoreFacts,
    TopicFact,
    place,
    plain,
    sample,
)
from tandem_ops.domain.kafka import TopicFacts
from tandem_ops.domain.report import Finding
from tandem_ops.handlers.checks import GROUPS
from tandem_ops.handlers.given import CREDENTIALS, KAFKA, Given
from tandem_ops.ports import CannotReach, Kafka, Letter, Postgres, Services, World
from tandem_ops.settings_reference import FILE_SUFFIX, Setting, all_settings

MOST_LETTERS: Final = 1000
_SHOWN_TYPES: Final = ("number", "whole number", "yes or no")

LONGEST_S: Final = 60.0
SourceT = TypeVar("SourceT")
FactsT = TypeVar("FactsT")
Store = Callable[[Postgres], Awaitable[StoreFacts]]


async def collect(given: Given, clock: Clock, world: World, store: Store, findings: Sequence[Finding]) -> Bundle:
    """Return a bundle with these findings of the doctor. Never raises for what is away."""
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        kafka = await _unless_away(_kafka, enter(world.kafka)) if given.has(KAFKA) else None
        stored = await _unless_away(store, enter(world.postgres)) if given.has(CREDENTIALS) else None
        services = await enter(world.services)
        metrics = {
            name: samples
            for name, url in given.settings.services().items()
            if name in SERVICES and (samples := await _metrics(services, url)) is not None
        }
    return Bundle(_about(given, clock), _settings(given), findings, kafka, stored, metrics)


async def _unless_away(look: Callable[[SourceT], Awaitable[FactsT]], opening: Awaitable[SourceT]) -> FactsT | None:
    """Return what is found, None if it cannot be within a minute: half a bundle helps more than none."""
    try:
        async with asyncio.timeout(LONGEST_S):
            return await look(await opening)
    except Exception:  # noqa: BLE001  # the doctor's findings say why
        return None


def _about(given: Given, clock: Clock) -> About:
    packages = {str(each.metadata["Name"]): each.version for each in distributions()}
    return About(
        made_at=clock.now(),
        tandem=packages.get("tandem-sync", "a checkout"),
        commit=given.settings.build_revision or None,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages={name: version for name, version in sorted(packages.items()) if plain(name) and plain(version)},
    )


def _settings(given: Given) -> list[SettingFact]:
    wrong = {problem.split(maxsplit=1)[0].rstrip(":").removesuffix(FILE_SUFFIX) for problem in given.problems}
    return [_setting(each, wrong=each.variable in wrong) for each in all_settings().values()]


def _setting(setting: Setting, *, wrong: bool) -> SettingFact:
    value = os.environ.get(setting.variable)
    if value is None:
        filed = setting.file_variable in os.environ
        return SettingFact(
            setting.variable, "from a file" if filed else "missing" if setting.required else "default", None
        )
    if wrong:
        return SettingFact(setting.variable, "wrong", None)
    return SettingFact(setting.variable, "set", _shown(setting, value.strip()))


def _shown(setting: Setting, value: str) -> str | None:
    """Return the value of a number, a switch or a choice."""
    if setting.secret:
        return None
    if setting.type in _SHOWN_TYPES:
        return value if len(value) <= 20 and value.replace(".", "").replace("-", "").isalnum() else None
    return value if value in setting.type.split(", ") else None


async def _kafka(kafka: Kafka) -> KafkaFacts:
    cluster = await kafka.cluster()
    groups = []
    for name, topics in GROUPS.items():
        try:
            found = await kafka.group(name, topics)
        except CannotReach:
            continue
        lag: Counter[str] = Counter()
        for (topic, _), behind in found.lag.items():
            lag[topic] += behind or 0
        groups.append(GroupFact(name, plain(found.state), found.members, dict(lag)))
    return KafkaFacts(
        brokers=cluster.brokers,
        produce_version=await kafka.speaks(),
        topics=[_topic(topic, cluster.topics[topic]) for topic in Topic if topic in cluster.topics],
        groups=groups,
        dead_letters=_letters(await kafka.dead_letters(MOST_LETTERS)),
    )


def _topic(topic: Topic, facts: TopicFacts) -> TopicFact:
    settings = {
        name: value
        for name, value in (facts.settings or {}).items()
        if name in TOPIC_SETTINGS and plain(value.replace(",", "."))
    }
    return TopicFact(
        topic,
        len(facts.partitions),
        min((each.replicas for each in facts.partitions), default=0),
        min((each.in_sync for each in facts.partitions), default=0),
        settings,
    )


def _letters(letters: Sequence[Letter]) -> list[DeadLetters]:
    groups: dict[tuple[Topic | None, str | None, str | None], list[Letter]] = {}
    for each in letters:
        topic = Topic(each.topic) if each.topic in set(Topic) else None
        by = each.by if each.by in SERVICES else None
        groups.setdefault((topic, by, place(each.reason)), []).append(each)
    return [DeadLetters(*key, len(those), max(each.at for each in those)) for key, those in groups.items()]


async def _metrics(services: Services, url: str) -> Sequence[Sample] | None:
    try:
        text = await services.metrics(url)
        found = [
            sample(each.name, each.labels, each.value)
            for family in text_string_to_metric_families(text)
            for each in family.samples
        ]
    except (CannotReach, ValueError):
        return None
    return [each for each in found if each is not None]


def names_of(bundle: Bundle) -> Mapping[str, bool]:
    """Return which parts could be looked at, for the words at the end."""
    return {"Kafka": bundle.kafka is not None, "Postgres": bundle.store is not None, "metrics": bool(bundle.metrics)}
