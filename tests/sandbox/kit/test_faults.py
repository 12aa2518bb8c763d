"""Fault rules: what they match, when they hit, and what is said about rules that make no sense."""

from __future__ import annotations

import pytest

from sandbox.kit.fault_rules import RulesError, TokenRule, parse_rules
from sandbox.kit.faults import ActLate, AnswerInstead, FaultPlan, LoseAnswer, Proceed, Refuse
from sandbox.kit.site import SiteRequest, WebhookDelivery

PUT_ITEM = SiteRequest("PUT", "/item")
GET_ITEM = SiteRequest("GET", "/item/23")
WEBHOOK = WebhookDelivery("http://127.0.0.1:1/webhooks/jira/a", {}, b'{"webhookEvent":"jira:issue_updated"}', "id-1")


def _plan(*rules: object, seed: int = 0) -> FaultPlan:
    return FaultPlan(parse_rules(list(rules)), seed=seed)


def test_without_rules_everything_goes_on() -> None:
    assert _plan().decide(PUT_ITEM).action == Proceed()
    assert _plan().decide_webhook(WEBHOOK).copies == 1


def test_a_rule_hits_only_its_method_path_and_caller() -> None:
    plan = _plan({"effect": "refuse", "method": "PUT", "path": "/item*", "who": "Tandem *"})
    assert plan.decide(PUT_ITEM, "Tandem Sync").action == Refuse()
    assert plan.decide(PUT_ITEM, "Ada").action == Proceed()
    assert plan.decide(GET_ITEM, "Tandem Sync").action == Proceed()
    assert plan.decide(SiteRequest("PUT", "/other"), "Tandem Sync").action == Proceed()


def test_a_star_in_a_path_also_takes_slashes() -> None:
    plan = _plan({"effect": "refuse", "path": "/rest/api/*/issue/*"})
    assert plan.decide(SiteRequest("GET", "/rest/api/3/issue/10/changelog")).action == Refuse()


def test_next_counts_only_requests_that_are_hit() -> None:
    plan = _plan({"effect": "refuse", "method": "PUT", "next": 2})
    actions = [plan.decide(request).action for request in (PUT_ITEM, GET_ITEM, PUT_ITEM, PUT_ITEM)]
    assert actions == [Refuse(), Proceed(), Refuse(), Proceed()]


def test_a_probability_is_kept_roughly_and_repeats_with_its_seed() -> None:
    rule = {"effect": "drop-response-after-doing-it", "probability": 0.2}
    first, again, other = (_plan(rule, seed=seed) for seed in (1, 1, 2))
    hits = [first.decide(PUT_ITEM).action == LoseAnswer() for _ in range(2_000)]
    assert hits == [again.decide(PUT_ITEM).action == LoseAnswer() for _ in range(2_000)]
    assert hits != [other.decide(PUT_ITEM).action == LoseAnswer() for _ in range(2_000)]
    assert 0.15 < sum(hits) / len(hits) < 0.25


def test_delays_add_up_and_the_first_other_effect_follows_them() -> None:
    plan = _plan(
        {"effect": "delay", "delay_s": 1},
        {"effect": "delay", "delay_s": 0.5},
        {"effect": "refuse"},
        {"effect": "status", "status": 500},
    )
    decision = plan.decide(PUT_ITEM)
    assert (decision.delay_s, decision.action) == (1.5, Refuse())
    assert decision.effects == ("delay", "delay", "refuse")


def test_a_status_is_answered_with_what_the_rule_says_and_else_with_a_gateways_page() -> None:
    rule = {"effect": "status", "status": 429, "retry_after_s": 3, "body": {"message": "slow down"}, "next": 1}
    plan = _plan(rule, {"effect": "status", "status": 503})
    first, second = plan.decide(PUT_ITEM).action, plan.decide(PUT_ITEM).action
    assert isinstance(first, AnswerInstead)
    assert isinstance(second, AnswerInstead)
    assert (first.response.status, first.response.headers["retry-after"]) == (429, "3")
    assert first.response.body == b'{"message":"slow down"}'
    assert second.response.status == 503
    assert second.response.headers["content-type"].startswith("text/html")


def test_doing_it_late_says_when_the_connection_ends_and_when_it_is_done() -> None:
    rule = {"effect": "do-it-late", "delay_s": 30, "cut_after_s": 20}
    assert _plan(rule).decide(PUT_ITEM).action == ActLate(after_s=30, cut_after_s=20)


def test_webhook_rules_add_up_and_a_lost_one_stays_lost() -> None:
    plan = _plan(
        {"effect": "repeat", "times": 2}, {"effect": "reorder"}, {"on": "webhook", "effect": "delay", "delay_s": 1}
    )
    decision = plan.decide_webhook(WEBHOOK)
    assert (decision.copies, decision.behind_next, decision.delay_s) == (3, True, 3.0)
    assert _plan({"effect": "lose"}, {"effect": "repeat"}).decide_webhook(WEBHOOK).copies == 0


def test_a_webhook_rule_hits_only_its_address_and_content() -> None:
    assert _plan({"effect": "lose", "url": "*/jira/*", "contains": "issue_updated"}).decide_webhook(WEBHOOK).copies == 0
    assert _plan({"effect": "lose", "url": "*/craft/*"}).decide_webhook(WEBHOOK).copies == 1
    assert _plan({"effect": "lose", "contains": "issue_created"}).decide_webhook(WEBHOOK).copies == 1


def test_new_rules_replace_the_old_ones() -> None:
    plan = _plan({"effect": "refuse"})
    plan.replace(parse_rules([{"effect": "lose"}]))
    assert plan.decide(PUT_ITEM).action == Proceed()
    assert plan.decide_webhook(WEBHOOK).copies == 0


def test_the_kind_of_a_rule_may_be_left_out_where_the_effect_tells_it() -> None:
    kinds = [
        rule.on for rule in parse_rules([{"effect": "refuse"}, {"effect": "lose"}, {"effect": "revoke", "token": "t"}])
    ]
    assert kinds == ["request", "webhook", "token"]
    assert parse_rules([{"effect": "revoke", "token": "t"}]) == [TokenRule(token="t")]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"effect": "delay"}, "needs delay_s"),
        ({"effect": "do-it-late"}, "needs delay_s"),
        ({"effect": "status"}, "needs a status"),
        ({"effect": "refuse", "status": 500}, "only it takes one"),
        ({"effect": "refuse", "delay_s": 1}, "no meaning"),
        ({"effect": "lose", "delay_s": 1}, "no meaning"),
        ({"effect": "refuse", "methods": "PUT"}, "Extra inputs"),
        ({"effect": "explode"}, "effect"),
        ({"effect": "refuse", "probability": 2}, "probability"),
        ({"effect": "refuse", "next": 0}, "next"),
        ({"on": "clock", "effect": "stop"}, "one of request, webhook, token"),
        ("refuse", "one of request, webhook, token"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_its_place_and_in_words(rule: object, words: str) -> None:
    with pytest.raises(RulesError, match=words) as refused:
        parse_rules([{"effect": "refuse"}, rule])
    assert str(refused.value).startswith("rule 1")
