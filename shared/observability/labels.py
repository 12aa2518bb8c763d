"""All labels, each with its bound. A name means the same on every metric.

No name is one that Prometheus or its operator puts on a target itself (`job`, `instance`, `service`, `pod`,
`endpoint`, ...): it would be renamed there to `exported_…`.
"""

from __future__ import annotations

from typing import Final, get_args

from shared.clients.errors import Scope
from shared.domain.dry_run import DryRunState, Outlook
from shared.domain.ids import Side
from shared.domain.link import OperationKind
from shared.messages.status import Cause, DisplayState
from shared.observability.bounds import Label, Named, one_of
from shared.observability.words import (
    Access,
    AttemptResult,
    ConnectionEnd,
    CredentialState,
    DeadReason,
    Decision,
    Direction,
    Fate,
    Standing,
    Wait,
    WebhookOutcome,
)
from shared.runtime.groups import GROUPS, REHEARSALS
from shared.runtime.topics import Topic

GATEWAY: Final = "webhook_gateway"
MAPPER: Final = "mapper"
JIRA_WRITER: Final = "jira_writer"
CRAFT_WRITER: Final = "craft_writer"
RECONCILER: Final = "reconciler"
CONSOLE: Final = "console"

WRITERS: Final = (JIRA_WRITER, CRAFT_WRITER)
VENDOR_CALLERS: Final = (*WRITERS, RECONCILER, CONSOLE)
"""The services that send requests to Jira and Craft.io."""
CONSUMERS: Final = (MAPPER, *WRITERS, RECONCILER)
"""The services that read topics as a group, by the name of the group."""
EVERYWHERE: Final = (GATEWAY, MAPPER, *WRITERS, RECONCILER, CONSOLE)

_IDS = 1_000
"""Connections and integrations are made by admins, one by one."""

COMPONENT: Final = Label(
    "component",
    "The service that shows it; `mapper-rehearsals`: its consumer of dry runs.",
    one_of((*EVERYWHERE, REHEARSALS)),
)
GROUP: Final = Label("group", "The consumer group, named for its service.", one_of(GROUPS))
TOPIC: Final = Label("topic", "The topic, without its prefix.", one_of(Topic))
PARTITION: Final = Label("partition", "The number of the partition.", Named("partitions of a topic", 200))
SYSTEM: Final = Label("system", "The vendor's system.", one_of(Side))
DIRECTION: Final = Label("direction", "The way that a change goes.", one_of(get_args(Direction)))
CONNECTION: Final = Label("connection", "The id of a connection.", Named("connections that are configured", _IDS))
INTEGRATION: Final = Label("integration", "The id of an integration.", Named("integrations that are configured", _IDS))
NAME: Final = Label("name", "The name that people gave it.", Named("connections and integrations", 2 * _IDS))
JIRA_CONNECTION: Final = Label("jira_connection", "Its connection to Jira.", CONNECTION.bound)
CRAFT_CONNECTION: Final = Label("craft_connection", "Its connection to Craft.io.", CONNECTION.bound)
KIND_OF_CONNECTION: Final = Label("kind", "What is connected.", one_of(("jira_cloud", "jira_data_center", "craft")))
DEPENDENCY: Final = Label(
    "dependency",
    "What the service cannot do without. `connections`: those of the gateway are read; `started`, `answers_in_time`: "
    "it is not up itself.",
    one_of(("kafka", "postgres", "connections", "started", "answers_in_time")),
)
ERROR: Final = Label("error", "The class of the failure.", Named("exception classes", 60))
FATE: Final = Label("fate", "How a message ended.", one_of(get_args(Fate)))
DEAD_REASON: Final = Label("reason", "Why a message was given up.", one_of(get_args(DeadReason)))
END_REASON: Final = Label("reason", "Why we ended an HTTP connection.", one_of(get_args(ConnectionEnd)))
EVENT: Final = Label(
    "event",
    "What the vendor calls the event.",
    one_of(
        (
            *("jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment", "worklog", "attachment"),
            *("issue link", "issue property", "issue type", "project", "version", "sprint", "board", "filter", "user"),
            *("global option", "app", "item.created", "item.updated", "item.deleted", "unknown"),
        )
    ),
)
WEBHOOK_OUTCOME: Final = Label(
    "outcome",
    "`forwarded`: on the log; `ignored`: of no interest; `refused`: never good (4xx); `unavailable`: to be sent again.",
    one_of(get_args(WebhookOutcome)),
)
WEBHOOK_REASON: Final = Label("reason", "Why it ended so.", Named("reasons of the gateway", 40))
DECISION: Final = Label(
    "outcome",
    "What is written (`create`, `write`, `restore`), or the state in which nothing is.",
    one_of((*get_args(Decision), *DisplayState)),
)
KIND_OF_WRITE: Final = Label("kind", "What is done to the target.", one_of(OperationKind))
RESULT: Final = Label("result", "How an attempt ended.", one_of(get_args(AttemptResult)))
ALONE: Final = Label("why", "Why an input was taken out of its batch.", one_of(("held", "failed")))
OUTLOOK: Final = Label("outlook", "What would become of an item.", one_of(Outlook))
CALL: Final = Label(
    "call",
    "The vendor's endpoint, by the name of its kind of call.",
    one_of(
        (
            *("myself", "issue", "changelog", "create", "search", "users", "fields", "types", "createmeta", "editmeta"),
            *("statuses", "project_statuses", "priorities", "link_types", "permissions", "project", "version"),
            *("issue_link", "transitions", "transition", "serverInfo", "tokens"),
            *("me", "item", "update", "items", "custom_fields", "terminology", "workspaces"),
        )
    ),
)
ACCESS: Final = Label("access", "Whether the call changes anything there.", one_of(get_args(Access)))
CALL_RESULT: Final = Label(
    "result",
    "`ok`, `cancelled`, or the class of the failure.",
    one_of(
        (
            *("ok", "cancelled", "Unreachable", "AddressRefused", "RateLimited", "Unavailable", "UnclearEffect"),
            *("Rejected", "NotFound", "BadCredentials", "CredentialsLocked"),
        )
    ),
)
ADDRESS: Final = Label("kind", "The kind of address.", Named("kinds of address", 20))
SCOPE: Final = Label("scope", "What the limit holds back.", one_of(get_args(Scope)))
WAIT: Final = Label(
    "why",
    "`pace`: our own pace; `connection`, `endpoint`, `issue`: the vendor's limit; `trouble`: the site is not well.",
    one_of(get_args(Wait)),
)
DUTY: Final = Label("duty", "The duty of the reconciler.", Named("duties", 30))
DUTY_CONNECTION: Final = Label("connection", "The id of a connection; empty for a duty of the whole.", CONNECTION.bound)
ROUND_RESULT: Final = Label("result", "`ok`, or the class of the failure.", ERROR.bound)
LEFT_REASON: Final = Label("reason", "Why it was left to another duty.", Named("reasons, and exception classes", 60))
STATE: Final = Label("state", "What people see of an item.", one_of(DisplayState))
STANDING: Final = Label(
    "standing",
    "`in_sync`; `under_way`: goes on by itself; `stuck`: somebody has to do something; `apart`: on purpose not synced.",
    one_of(get_args(Standing)),
)
CAUSE: Final = Label("cause", "Why it is so; the runbook has a paragraph for each.", one_of(Cause))
CREDENTIAL_STATE: Final = Label(
    "state",
    "`works`, `refused` by the vendor, `expired` by its date, `missing`.",
    one_of(get_args(CredentialState)),
)
DRY_RUN_STATE: Final = Label("state", "Where a dry run stands.", one_of(DryRunState))
VERSION: Final = Label("version", "The version of Tandem.", Named("versions", 3))
REVISION: Final = Label("revision", "The commit that it was built from, if the build says.", Named("revisions", 3))
SCHEMA: Final = Label("schema", "The newest migration of Postgres that it knows.", Named("migrations", 3))
PYTHON: Final = Label("python", "The version of Python.", Named("versions", 3))
