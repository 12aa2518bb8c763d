"""Faults on demand: the decision what happens to one request or one webhook under the rules in force.

`FaultPlan` only decides; `sandbox.kit.server` and `sandbox.kit.deliverer` carry it out over real HTTP,
`sandbox.kit.inprocess` in one process and on virtual time. Must never do I/O, read a clock or touch a site.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.kit.fault_rules import RequestRule, Rule, WebhookRule
from sandbox.kit.router import to_json
from sandbox.kit.site import SiteRequest, SiteResponse, WebhookDelivery
from shared.domain.clock import Dice, SeededDice


@dataclass(frozen=True, slots=True)
class Proceed:
    """Do the request and answer it."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do nothing and close the connection."""


@dataclass(frozen=True, slots=True)
class AnswerInstead:
    """Do nothing and answer this."""

    response: SiteResponse


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Do the request, then close the connection without an answer."""


@dataclass(frozen=True, slots=True)
class ActLate:
    """Close the connection `cut_after_s` after the request came, and do the request `after_s` after it came."""

    after_s: float
    cut_after_s: float


Action = Proceed | Refuse | AnswerInstead | LoseAnswer | ActLate


@dataclass(frozen=True, slots=True)
class FaultDecision:
    """What happens to one request: first wait `delay_s`, then `action`. `effects` names the rules that hit."""

    delay_s: float = 0.0
    action: Action = field(default_factory=Proceed)
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookDecision:
    """What happens to one webhook: `copies` deliveries (0: lost) after `delay_s`, or behind the following one."""

    copies: int = 1
    delay_s: float = 0.0
    behind_next: bool = False
    effects: tuple[str, ...] = ()


_PROCEED = FaultDecision()
_DELIVER = WebhookDecision()


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


class _Armed:
    """One rule in force, with what is left of its `next`."""

    def __init__(self, rule: RequestRule | WebhookRule) -> None:
        self.rule = rule
        self._left = rule.next

    def hits(self, dice: Dice) -> bool:
        """Say whether a match is hit now, and count it."""
        if self._left == 0:
            return False
        if self.rule.probability < 1 and dice.uniform(0, 1) >= self.rule.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True


class _ArmedRequest(_Armed):
    def __init__(self, rule: RequestRule) -> None:
        super().__init__(rule)
        self.request_rule = rule
        self._contains = rule.contains.encode()
        self._globs = (_glob(rule.method.upper()), _glob(rule.path), _glob(rule.who))

    def matches(self, request: SiteRequest, who: str) -> bool:
        method, path, caller = self._globs
        named = method.match(request.method) and path.match(request.path) and caller.match(who)
        return bool(named) and self._contains in request.body


class _ArmedWebhook(_Armed):
    def __init__(self, rule: WebhookRule) -> None:
        super().__init__(rule)
        self.webhook_rule = rule
        self._url = _glob(rule.url)
        self._part = rule.contains.encode()

    def matches(self, delivery: WebhookDelivery) -> bool:
        return bool(self._url.match(delivery.url)) and self._part in delivery.body


class FaultPlan:
    """The rules in force, in their order, with seeded dice: the same seed, rules and requests give the same decisions.

    Decisions count down `next` and use up dice, so ask once per request and once per webhook.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, seed: int = 0) -> None:
        self._seed = seed
        self.replace(rules)

    def replace(self, rules: Sequence[Rule], *, seed: int | None = None) -> None:
        """Put these rules in force instead of all before, with fresh counters and dice (`seed`, or the plan's)."""
        self._dice = SeededDice(self._seed if seed is None else seed)
        self._rules = list(rules)
        self._requests = [_ArmedRequest(rule) for rule in rules if isinstance(rule, RequestRule)]
        self._webhooks = [_ArmedWebhook(rule) for rule in rules if isinstance(rule, WebhookRule)]

    @property
    def rules(self) -> list[Rule]:
        """The rules as given."""
        return list(self._rules)

    def decide(self, request: SiteRequest, who: str = "") -> FaultDecision:
        """Decide about one request: the delays of all rules that hit add up, the first other effect is carried out."""
        if not self._requests:
            return _PROCEED
        delay_s, effects = 0.0, []
        for armed in self._requests:
            if armed.matches(request, who) and armed.hits(self._dice):
                effects.append(armed.request_rule.effect)
                action = _action(armed.request_rule)
                if action is not None:
                    return FaultDecision(delay_s, action, tuple(effects))
                delay_s += armed.request_rule.delay_s or 0.0
        return FaultDecision(delay_s, Proceed(), tuple(effects)) if effects else _PROCEED

    def decide_webhook(self, delivery: WebhookDelivery) -> WebhookDecision:
        """Decide about one webhook: all rules that hit apply together; a lost one stays lost."""
        copies, delay_s, behind_next, effects = 1, 0.0, False, []
        for armed in self._webhooks:
            if armed.matches(delivery) and armed.hits(self._dice):
                rule = armed.webhook_rule
                effects.append(rule.effect)
                match rule.effect:
                    case "lose":
                        return WebhookDecision(0, effects=tuple(effects))
                    case "repeat":
                        copies += rule.times
                    case "delay":
                        delay_s += rule.delay_s or 0.0
                    case "reorder":
                        behind_next = True
                        delay_s += 2.0 if rule.delay_s is None else rule.delay_s
        return WebhookDecision(copies, delay_s, behind_next, tuple(effects)) if effects else _DELIVER


def _action(rule: RequestRule) -> Action | None:
    """Return what a rule does to a request, None for a mere delay."""
    match rule.effect:
        case "delay":
            return None
        case "refuse":
            return Refuse()
        case "drop-response-after-doing-it":
            return LoseAnswer()
        case "do-it-late":
            return ActLate(rule.delay_s or 0.0, rule.cut_after_s)
        case "status":
            return AnswerInstead(_answer(rule))


def _answer(rule: RequestRule) -> SiteResponse:
    """Return the answer of a `status` rule; without a body of its own, the page that a gateway in front would send."""
    headers = {name.lower(): value for name, value in rule.headers.items()}
    if rule.retry_after_s is not None:
        headers.setdefault("retry-after", str(rule.retry_after_s))
    if rule.body is None:
        headers.setdefault("content-type", "text/html; charset=utf-8")
        body = f"<html><body><h1>{rule.status}</h1></body></html>".encode()
    else:
        headers.setdefault("content-type", "application/json; charset=utf-8")
        body = to_json(rule.body)
    return SiteResponse(rule.status or 500, headers, body)
