"""Every event that a log line of ours can have, in one list: what it says, and what an operator does about it.

`docs/logs.md` is made of it (`python -m tandem_ops.log_docs`), and a test holds every line of the code against
it. A name stays as it is once it was released: people search for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Whose = Literal["message", "process", "Kafka", "HTTP", "webhooks", "vendors", "configuration", "looking", "dry runs"]
NOTHING: Final = "Nothing."
BY_ITSELF: Final = "Nothing: it goes on by itself. If it stays, look at what it names."


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Its level and fields are where it is logged."""

    name: str
    whose: Whose
    says: str
    do: str = NOTHING


EVENTS: Final = (
    Event(
        "message",
        "message",
        "A message reached its end: `fate` is `handled`, `undecodable`, `poison` or `failed`; the last three with a "
        "`reason`, and the message is on `dead.v1`.",
        "For other fates than `handled`: read the dead letter; after a mended cause it can be replayed.",
    ),
    Event(
        "message again",
        "message",
        "A message failed and is tried again in `retry_in_s`.",
        BY_ITSELF,
    ),
    Event(
        "write attempt",
        "message",
        "A writer tried an operation: `result`, requests sent, seconds.",
    ),
    Event(
        "webhook",
        "webhooks",
        "A webhook was answered: `status`, and for other than 202 the `reason`.",
        "401: see the connection's webhook secret and URL token; 429 and 503: the sender comes again.",
    ),
    Event(
        "listening",
        "process",
        "The HTTP server is open at `addresses`.",
    ),
    Event(
        "cannot start yet",
        "process",
        "Postgres or Kafka cannot be reached, or the tables are older.",
        "See `error`; `tandem doctor` says more. It goes on by itself.",
    ),
    Event(
        "stopping",
        "process",
        "SIGTERM came; what was begun is finished.",
    ),
    Event(
        "stopped",
        "process",
        "It ended as asked.",
    ),
    Event(
        "not stopped in time",
        "process",
        "It did not finish in time and was ended.",
        "What was left is done again by the next process. If it happens often, see what hung.",
    ),
    Event(
        "failed",
        "process",
        "The process ends by an error, with exit code 1.",
        "Kubernetes starts it again. Report the exception if it happens again.",
    ),
    Event(
        "nobody caught this",
        "process",
        "An error that no code was ready for ends the process.",
        "Report it.",
    ),
    Event(
        "a thread failed",
        "process",
        "A library's thread ended by an error.",
        "Report it.",
    ),
    Event(
        "an error while cleaning up",
        "process",
        "An object could not be closed.",
        "Report it.",
    ),
    Event(
        "a warning of Python",
        "process",
        "Python or a library warns.",
        "Report it.",
    ),
    Event(
        "connected to Kafka",
        "Kafka",
        "The producer is connected.",
    ),
    Event(
        "cannot connect to Kafka; trying on",
        "Kafka",
        "The producer cannot connect, for the reason in `error`.",
        "`tandem doctor` checks addresses, TLS, login and rights.",
    ),
    Event(
        "topics created",
        "Kafka",
        "Missing topics were created.",
    ),
    Event(
        "a new Kafka producer takes over",
        "Kafka",
        "The producer met an error that it cannot get past.",
        BY_ITSELF,
    ),
    Event(
        "the Kafka producer was left with records that were not acknowledged",
        "Kafka",
        "It was closed before.",
        "Nothing: their webhooks were answered 503, and all else is repeated by clocks.",
    ),
    Event(
        "credentials of Kafka were replaced; a new producer takes over",
        "Kafka",
        "Mounted credentials changed.",
    ),
    Event(
        "credentials of Kafka were replaced; joining anew",
        "Kafka",
        "Mounted credentials changed.",
    ),
    Event(
        "joined the group",
        "Kafka",
        "It reads as a member of a consumer group.",
    ),
    Event(
        "cannot join the group; trying on",
        "Kafka",
        "It cannot, for the reason in `error`.",
        BY_ITSELF,
    ),
    Event(
        "left the group without a word",
        "Kafka",
        "The brokers were away when it stopped.",
        "Nothing: its partitions go to others after the session timeout.",
    ),
    Event(
        "left without a word",
        "Kafka",
        "The same, as the consumer saw it.",
    ),
    Event(
        "commit refused: partitions are being dealt anew",
        "Kafka",
        "What was handled is handled again, to no effect.",
    ),
    Event(
        "commit not possible now",
        "Kafka",
        "The brokers do not take positions.",
        BY_ITSELF,
    ),
    Event(
        "log unavailable",
        "Kafka",
        "Nothing can be read.",
        BY_ITSELF,
    ),
    Event(
        "handler took longer than the grace time",
        "Kafka",
        "A handler was still at work at the stop.",
        "Nothing: the message is handled again.",
    ),
    Event(
        "broken request",
        "HTTP",
        "What came was no HTTP.",
        "Nothing, unless a proxy of yours sends it.",
    ),
    Event(
        "request failed",
        "HTTP",
        "A request met an error of ours; answered 500.",
        "Report the exception.",
    ),
    Event(
        "request_failed",
        "HTTP",
        "A request to the API met an error of ours; answered 500.",
        "Report it.",
    ),
    Event(
        "refused",
        "HTTP",
        "The API refused a request: operation, status, code, client.",
        "401: a wrong token.",
    ),
    Event(
        "arrivals not told",
        "webhooks",
        "What came of webhooks could not be stored.",
        BY_ITSELF,
    ),
    Event(
        "connections read",
        "webhooks",
        "The gateway knows the connections again.",
    ),
    Event(
        "connections not read",
        "webhooks",
        "It goes on with those that it knows.",
        BY_ITSELF,
    ),
    Event(
        "credentials not read",
        "webhooks",
        "It goes on with those that it knows.",
        "Report the exception.",
    ),
    Event(
        "credentials_unreadable",
        "vendors",
        "A connection's credentials do not open.",
        "Save the connection again, with its credentials; see TANDEM_SECRET_KEY.",
    ),
    Event(
        "address_refused",
        "vendors",
        "An internal address was not asked.",
        "If it is meant: TANDEM_ALLOWED_INTERNAL_ADDRESSES.",
    ),
    Event(
        "connection could not be paused",
        "vendors",
        "The store was away.",
        BY_ITSELF,
    ),
    Event(
        "lease could not be given back",
        "vendors",
        "It runs out by itself.",
        BY_ITSELF,
    ),
    Event(
        "reported create could not be held",
        "vendors",
        "The store was away after a create.",
        "Nothing: the item is found by its key.",
    ),
    Event(
        "version created",
        "vendors",
        "A version that a Jira project lacked was created.",
    ),
    Event(
        "change_skipped",
        "message",
        "A change is none of Tandem's business, for `reason`.",
    ),
    Event(
        "request_refused",
        "message",
        "A request is refused by the item's state: `code`; it shows at the request.",
    ),
    Event(
        "integration_missing",
        "message",
        "A link's integration is not stored.",
        "Restore the database whole.",
    ),
    Event(
        "batch taken apart",
        "message",
        "Inputs that share a transaction were in each other's way.",
    ),
    Event(
        "input taken out of a batch",
        "message",
        "One input failed and is handled by itself.",
    ),
    Event(
        "found",
        "looking",
        "A duty found so many `messages` to publish.",
    ),
    Event(
        "left",
        "looking",
        "A duty left something for later, for `reason`.",
    ),
    Event(
        "duty_failed",
        "looking",
        "A round failed and is tried again.",
        BY_ITSELF,
    ),
    Event(
        "fresh_read_failed",
        "looking",
        "An item could not be read.",
        BY_ITSELF,
    ),
    Event(
        "mapping_saved_unchecked",
        "configuration",
        "Saved while a vendor could not be asked.",
        "Check it later.",
    ),
    Event(
        "revision_not_announced",
        "configuration",
        "The log was away when something was saved.",
        "Nothing: services read it within seconds.",
    ),
    Event(
        "evaluation_agreed",
        "configuration",
        "An admin had items decided again.",
    ),
    Event(
        "held_let_go",
        "configuration",
        "An admin let held items go.",
    ),
    Event(
        "refused_retried",
        "configuration",
        "An admin had all tried again that was refused.",
    ),
    Event(
        "provisioning_file_in_effect",
        "configuration",
        "A mounted file was saved.",
    ),
    Event(
        "provisioning_file_not_in_effect",
        "configuration",
        "A mounted file is invalid or refused.",
        "Correct it: `places` has file and line, GET /api/v1/provisioning the words.",
    ),
    Event(
        "provisioning_file_gone",
        "configuration",
        "A mounted file is gone; nothing was deleted.",
    ),
    Event(
        "provisioning_drift",
        "configuration",
        "Something was changed by hand since.",
        "Take it into the file, or have the file saved again.",
    ),
    Event(
        "provisioning_asked_again",
        "configuration",
        "An admin has a mounted file saved again.",
    ),
    Event(
        "provisioning_not_possible",
        "configuration",
        "The folder or the store cannot be read.",
        BY_ITSELF,
    ),
    Event(
        "dry_run_done",
        "dry runs",
        "A dry run has its last answer.",
    ),
    Event(
        "dry_run_failed",
        "dry runs",
        "A dry run was given up; it says why.",
    ),
    Event(
        "dry_runs_removed",
        "dry runs",
        "Old ones were removed.",
    ),
    Event(
        "rehearsal_skipped",
        "dry runs",
        "An item of a dry run was not played, for `reason`.",
    ),
    Event(
        "rehearsal_failed",
        "dry runs",
        "An item of a dry run met an error.",
        "Report the exception.",
    ),
    Event(
        "rehearsals_failed",
        "dry runs",
        "Rehearsals cannot be read; items go on.",
        BY_ITSELF,
    ),
)
"""In the order in which people look for them: whatever belongs together stands together."""
