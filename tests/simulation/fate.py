"""What one seed decides beforehand: the policy, the vendors' quirks, how much people do, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from shared.domain.mapping import Policy
from tests.simulation.network import Weather


@dataclass(slots=True)
class Fate:
    """Everything that is settled before the first event. Counts are per seed, probabilities per occasion."""

    policy: Policy
    craft_webhook: bool
    with_key: bool
    coarse_jira: bool
    coarse_craft: bool
    edits: int
    items: int
    kills: int
    hangs: int
    weather: Weather
    lose_webhooks: float
    repeat_webhooks: float
    late_webhooks: float
    partial_webhooks: float
    """Jira webhooks whose issue lacks some fields, as those of comments do (PROTOCOL F14)."""
    revisions: int
    requests: int
    """Unsync, resync, link, resolve and retry by people."""
    deletes: int
    clash: float
    """How often an edit is followed at once by one of the same field on the other side."""
    burst: float
    """How often an edit is followed by another one of the same field within a tick of a coarse clock (F13)."""
    snipe: float
    """How often a person edits a field in the very moment in which a write of Tandem's has landed in it."""
    puts_back: float
    """How often a person at once puts back what a write of Tandem's has just replaced; webhooks are quick then."""
    false_deletes: float
    """How often Jira also tells of a deletion that is none, when an issue was changed."""
    steps_back: bool
    """Jira's clock goes back once by some seconds (PROTOCOL F15)."""
    off_screen: bool
    """A Jira field that cannot be edited: values are refused (PROTOCOL F19)."""
    normalises: bool
    """Jira adds a mark to titles, Craft takes it off (PROTOCOL F18)."""
    ignores: float
    """How often a write of a title is answered well and changes nothing."""
    twins: bool
    """Two items with the same title are created at once."""
    outages: int
    """How often Kafka is away for some seconds."""
    small_pages: bool
    index_lag_s: float
    visibility_lag_s: float
    narrow: bool
    """People edit one field of few items, so that their edits meet."""
    status_both: bool
    """Statuses are carried both ways, and people set them on both sides."""
    conversions: int
    """How often people turn an item into another type, mapped or not."""
    any_mapping: bool
    """The mapping is drawn from all kinds of fields and is changed by an admin (`tests.simulation.mapping`)."""
    data_center: bool = False
    """Whether Jira is a Data Center. No seed draws it: stories ask for it."""


def fate_of(seed: int) -> Fate:
    """Return the fate of a seed: from fair weather with one edit to a storm."""
    dice = Random(seed)
    rough = dice.choice((0.0, 0.02, 0.1))
    late = dice.choice((rough, rough, rough, 0.3))
    with_key = dice.random() < 0.6
    fate = Fate(
        policy=dice.choice(list(Policy)),
        craft_webhook=dice.random() < 0.5,
        with_key=with_key,
        coarse_jira=dice.random() < 0.4,
        coarse_craft=dice.random() < 0.4,
        edits=dice.choice((4, 8, 16, 30)),
        items=dice.choice((1, 1, 2, 3)),
        kills=dice.choice((0, 0, 1, 3)),
        hangs=dice.choice((0, 0, 1, 2)),
        weather=Weather(refuse=rough, lose_answer=rough, late=late, busy=rough),
        lose_webhooks=dice.choice((0.0, 0.1)),
        repeat_webhooks=dice.choice((0.0, 0.2)),
        late_webhooks=dice.choice((0.0, 0.3)),
        partial_webhooks=dice.choice((0.0, 0.0, 0.3)),
        revisions=dice.choice((0, 0, 0, 1)),
        requests=dice.choice((0, 0, 0, 4)),
        deletes=dice.choice((0, 0, 0, 1)),
        clash=dice.choice((0.0, 0.1, 0.4)),
        burst=dice.choice((0.0, 0.0, 0.3)),
        snipe=dice.choice((0.0, 0.0, 0.15)),
        steps_back=dice.random() < 0.15,
        off_screen=dice.random() < 0.15,
        normalises=dice.random() < 0.1,
        twins=dice.random() < 0.15,
        outages=dice.choice((0, 0, 0, 1)),
        small_pages=dice.random() < 0.2,
        index_lag_s=dice.choice((0.0, 2.0, 8.0)),
        visibility_lag_s=dice.choice((0.0, 3.0, 15.0)),
        narrow=dice.random() < 0.5,
        status_both=dice.random() < 0.3,
        conversions=0,
        any_mapping=dice.random() < 0.6,
        ignores=0.0,
        puts_back=0.0,
        false_deletes=0.0,
    )
    if fate.any_mapping:
        fate.revisions = dice.choice((0, 0, 1, 4))
    fate.conversions = dice.choice((0, 0, 1, 4))
    if not fate.normalises:
        fate.ignores = dice.choice((0.0, 0.0, 0.0, 0.0, 0.3))
    if fate.policy is Policy.LATEST:
        # nothing else may explain why an older edit won (PROTOCOL F17), so that the oracle can be strict
        fate.clash, fate.late_webhooks = max(fate.clash, 0.4), 0.3
        fate.steps_back, fate.revisions, fate.requests = False, 0, 0
    if seed % 4 == 3:
        _try(fate, seed // 4)
    return fate


def _try(fate: Fate, number: int) -> None:
    """Bring about what needs several things to meet: every fourth seed is about one of them."""
    match number % 3:
        case 0:  # people put back at once what Tandem has written, and the answer to that write comes late
            fate.puts_back, fate.narrow, fate.items = 0.7, True, 1
            fate.weather = Weather(slow=0.7)
            fate.craft_webhook, fate.lose_webhooks, fate.late_webhooks, fate.visibility_lag_s = True, 0.0, 0.0, 0.0
        case 1:  # deletions are told that are none
            fate.false_deletes = 0.3
        case _:  # answers are lost, effects come late, and then the vendor is busy
            fate.narrow, fate.items = True, 1
            fate.weather = Weather(lose_answer=0.2, late=0.4, busy=0.3)
            fate.normalises, fate.ignores = number % 2 == 1, 0.0
