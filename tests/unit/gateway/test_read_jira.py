"""What a Jira body is: issue events forwarded whole, everything else named and left."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_gateway.domain.jira import kind_of, read_jira
from services.webhook_gateway.domain.verdict import EventKind, Forward, Ignored, IgnoredBecause, Verdict
from shared.domain.ids import AccountId, ConnectionId, EntityId, Side
from shared.domain.mapping import ConnectionKind
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from tests.unit.gateway.harness import JIRA, NOW, body, own_bodies

IDENTIFIER = "x-atlassian-webhook-identifier"
MAYA = AccountId("5f0c1a2b3d4e5f0061aa0001")


def _read(content: object, edition: ConnectionKind = ConnectionKind.JIRA_CLOUD, **headers: str) -> Verdict:
    return read_jira(content, {name.replace("_", "-"): value for name, value in headers.items()}, JIRA, edition, NOW)


def _event(content: object, edition: ConnectionKind = ConnectionKind.JIRA_CLOUD, **headers: str) -> ChangeEvent:
    verdict = _read(content, edition, **headers)
    assert isinstance(verdict, Forward), verdict
    return verdict.event


def test_an_issue_event_carries_the_whole_issue_its_time_its_actor_and_its_creator() -> None:
    content = body(Side.JIRA, "issue_updated")
    event = _event(content, x_atlassian_webhook_identifier="w-1")
    assert event == ChangeEvent(
        change_id="orchard-jira:w-1",
        side=Side.JIRA,
        connection_id=JIRA,
        entity_id=EntityId("20417"),
        kind=ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=NOW,
        updated=datetime(2026, 3, 4, 9, 15, 22, 481_000, UTC),
        snapshot={**content["issue"], "fields": {**content["issue"]["fields"], "parent": None}},
        by=MAYA,
        created_by=MAYA,
        changelog=event.changelog,
    )


def test_the_changelog_of_a_webhook_becomes_one_entry_dated_and_signed_by_the_event() -> None:
    (entry,) = _event(body(Side.JIRA, "issue_updated")).changelog
    assert (entry.id, entry.by, entry.op) == ("30117", MAYA, None)
    assert entry.at == datetime(2026, 3, 4, 9, 15, 22, 481_000, UTC)
    assert [(i.field, i.old, i.old_label, i.new, i.new_label) for i in entry.items] == [
        ("summary", None, "Show the date", None, "Show the harvest date"),
        ("priority", "4", "Low", "3", "Medium"),
        ("labels", None, "harvest", None, "harvest mobile"),
    ]


def test_an_entry_of_ours_names_its_operation() -> None:
    (entry,) = _event(body(Side.JIRA, "issue_updated_by_tandem")).changelog
    assert entry.op == "0123456789abcdefghjkmnpqrs:4"


def test_a_localised_changelog_is_known_by_field_id_where_there_is_one() -> None:
    (entry,) = _event(body(Side.JIRA, "issue_updated_localised")).changelog
    assert [item.field for item in entry.items] == ["status", "Оценка"]


def test_an_entry_is_not_dated_later_than_the_event_that_tells_of_it() -> None:
    content = body(Side.JIRA, "issue_updated")
    sent_at = datetime.fromtimestamp(content["timestamp"] / 1000, UTC)
    content["issue"]["fields"]["updated"] = (sent_at + timedelta(minutes=3)).isoformat()
    event = _event(content)
    assert event.updated == sent_at + timedelta(minutes=3)
    assert event.changelog[0].at == sent_at


def test_a_deleted_issue_is_forwarded_as_deleted() -> None:
    assert _event(body(Side.JIRA, "issue_deleted")).kind is ChangeKind.DELETED


def test_an_issue_that_moved_keeps_its_id_and_says_its_new_key() -> None:
    event = _event(body(Side.JIRA, "issue_updated_moved"))
    assert event.entity_id == "20417"
    assert event.snapshot is not None
    assert event.snapshot["key"] == "PLUM-3"


def test_people_of_data_center_are_known_by_key_and_times_by_their_offset() -> None:
    event = _event(body(Side.JIRA, "issue_updated_data_center"))
    assert event.by == event.created_by == "JIRAUSER10203"
    assert event.updated == datetime(2026, 3, 4, 9, 15, 22, tzinfo=UTC)


def test_an_issue_without_updated_is_dated_by_the_event_even_where_that_is_text() -> None:
    event = _event(body(Side.JIRA, "issue_updated_partial"))
    assert event.updated == datetime(2026, 3, 4, 9, 15, 22, 512_000, UTC)
    event = _event(body(Side.JIRA, "issue_updated_old_server"))
    assert event.updated == datetime(2014, 6, 7, 15, 31, 26, 805_000, UTC)


def test_a_numeric_id_is_the_same_entity_as_its_digits() -> None:
    event = _event(body(Side.JIRA, "issue_updated_old_server"))
    assert event.entity_id == "20417"
    assert event.snapshot is not None
    assert event.snapshot["id"] == "20417"
    assert event.changelog[0].id == "30124"


@pytest.mark.parametrize("ident", [2**63 + 7, str(2**63 + 7)])
def test_ids_beyond_2_to_the_53_survive(ident: object) -> None:
    content = body(Side.JIRA, "issue_updated")
    content["issue"]["id"] = ident
    assert _event(content).entity_id == "9223372036854775815"


def test_every_body_of_ours_is_forwarded_or_ignored_with_words() -> None:
    for name, content in own_bodies(Side.JIRA):
        verdict = _read(content)
        if content["webhookEvent"] in ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted"):
            assert isinstance(verdict, Forward), name
            assert verdict.kind == content["webhookEvent"], name
            assert not verdict.thin, name
        else:
            assert isinstance(verdict, Ignored), name
            assert verdict.words, name


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("comment_", EventKind.COMMENT),
        ("worklog_", EventKind.WORKLOG),
        ("jira:worklog_", EventKind.WORKLOG),
        ("attachment_", EventKind.ATTACHMENT),
        ("issuelink_", EventKind.ISSUE_LINK),
        ("issue_property_", EventKind.ISSUE_PROPERTY),
        ("issuetype_", EventKind.ISSUE_TYPE),
        ("project_", EventKind.PROJECT),
        ("jira:version_", EventKind.VERSION),
        ("sprint_", EventKind.SPRINT),
        ("board_", EventKind.BOARD),
        ("filter_", EventKind.FILTER),
        ("user_", EventKind.USER),
        ("option_", EventKind.OPTION),
        ("app_access_to_objects_", EventKind.APP),
        ("jira_expression_evaluation_failed", EventKind.APP),
    ],
)
def test_what_is_not_about_an_item_is_ignored_and_named(prefix: str, kind: EventKind) -> None:
    ours = [c for _, c in own_bodies(Side.JIRA) if c["webhookEvent"].startswith(prefix)]
    assert ours
    for content in ours:
        verdict = _read(content)
        assert isinstance(verdict, Ignored)
        assert (verdict.kind, verdict.because) == (kind, IgnoredBecause.NOT_ABOUT_AN_ITEM)
        assert kind.value in verdict.words


def test_a_comment_event_with_a_reduced_issue_is_no_observation_of_that_issue() -> None:
    reduced = [c for _, c in own_bodies(Side.JIRA) if c["webhookEvent"] == "comment_created" and "issue" in c]
    assert reduced
    assert isinstance(_read(reduced[0]), Ignored)


@pytest.mark.parametrize("name", ["jira:issue_ripened", "harvest_begun", "jira:", "issue_updated", "commentary"])
def test_an_unknown_event_is_acknowledged_and_ignored_as_unknown(name: str) -> None:
    verdict = _read({**body(Side.JIRA, "issue_updated"), "webhookEvent": name})
    assert isinstance(verdict, Ignored)
    assert (verdict.kind, verdict.because) == (EventKind.UNKNOWN, IgnoredBecause.UNKNOWN_EVENT)
    assert kind_of(name) is EventKind.UNKNOWN


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"issue": None}, IgnoredBecause.NO_ITEM),
        ({"issue": ["x"]}, IgnoredBecause.NO_ITEM),
        ({"issue": {"key": "PEAR-17", "fields": {}}}, IgnoredBecause.NO_ITEM_ID),
        ({"issue": {"id": ""}}, IgnoredBecause.NO_ITEM_ID),
        ({"issue": {"id": "../../myself"}}, IgnoredBecause.UNUSABLE_ITEM_ID),
        ({"issue": {"id": True}}, IgnoredBecause.UNUSABLE_ITEM_ID),
        ({"issue": {"id": {"a": 1}}}, IgnoredBecause.UNUSABLE_ITEM_ID),
        ({"issue": {"id": "1\ud800"}}, IgnoredBecause.UNUSABLE_ITEM_ID),
        ({"webhookEvent": None}, IgnoredBecause.NO_EVENT_NAME),
        ({"webhookEvent": 7}, IgnoredBecause.NO_EVENT_NAME),
    ],
)
def test_an_issue_event_that_names_no_issue_is_ignored_with_its_reason(
    change: dict[str, Any], because: IgnoredBecause
) -> None:
    verdict = _read({**body(Side.JIRA, "issue_updated"), **change})
    assert isinstance(verdict, Ignored)
    assert verdict.because is because


def test_an_issue_without_readable_fields_is_forwarded_to_be_read() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    content = body(Side.JIRA, "issue_updated")
    for changed in ({"id": "20417"}, {"id": "20417", "fields": []}, {"id": "20417", "fields": {"customfield_1": deep}}):
        event = _event({**content, "issue": changed})
        assert (event.entity_id, event.snapshot, event.changelog) == ("20417", None, ())


def test_redeliveries_have_one_change_id_and_different_changes_have_different_ones() -> None:
    content = body(Side.JIRA, "issue_updated")
    first = _event(content, x_atlassian_webhook_identifier="w-1")
    again = _event(content, x_atlassian_webhook_identifier="w-1", x_atlassian_webhook_retry="2")
    assert first.change_id == again.change_id
    assert _event(content, x_atlassian_webhook_identifier="w-2").change_id != first.change_id
    elsewhere = read_jira(content, {IDENTIFIER: "w-1"}, ConnectionId("other-site"), ConnectionKind.JIRA_CLOUD, NOW)
    assert isinstance(elsewhere, Forward)
    assert elsewhere.event.change_id != first.change_id


def test_without_an_identifier_the_change_id_is_computed_from_the_content() -> None:
    content = body(Side.JIRA, "issue_updated")
    ids = {_event(content).change_id, _event(content, x_atlassian_webhook_identifier="no good\udc80").change_id}
    assert len(ids) == 1
    for change in ({"timestamp": 1}, {"changelog": {"id": "1"}}, {"webhookEvent": "jira:issue_created"}):
        ids.add(_event({**content, **change}).change_id)
    content["issue"]["id"] = "20418"
    ids.add(_event(content).change_id)
    assert len(ids) == 5
    assert all(re.fullmatch(r"orchard-jira:computed-[0-9a-f]{32}", one) for one in ids)


WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\ud83d", 10**30, -(10**18)]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(data=st.data())
def test_wrong_types_anywhere_are_never_an_error(data: st.DataObject) -> None:
    content = body(Side.JIRA, data.draw(st.sampled_from(["issue_updated", "issue_deleted", "issue_updated_by_tandem"])))
    for _ in range(data.draw(st.integers(1, 3))):
        _spoil(content, data)
    verdict = _read(content)
    if isinstance(verdict, Forward):
        verdict.event.model_dump_json(exclude={"snapshot"})


def _spoil(content: Any, data: st.DataObject) -> None:
    place = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(WRONG)
            return
        place = place[key]
