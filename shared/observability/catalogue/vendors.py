"""How Jira and Craft.io answer, and how near their limits are; and what the reconciler's duties do."""

from __future__ import annotations

from typing import Final

from shared.observability.labels import (
    ACCESS,
    ADDRESS,
    CALL,
    CALL_RESULT,
    CONNECTION,
    DUTY,
    DUTY_CONNECTION,
    LEFT_REASON,
    RECONCILER,
    ROUND_RESULT,
    SCOPE,
    SYSTEM,
    VENDOR_CALLERS,
    WAIT,
)
from shared.observability.metrics import Counter, Gauge, Histogram

VENDOR_REQUESTS: Final = Counter(
    "tandem_vendor_requests_total",
    "How many requests went to a vendor, to which endpoint, and what came of them?",
    shown_by=VENDOR_CALLERS,
    labels=(SYSTEM, CALL, ACCESS, CALL_RESULT),
)
VENDOR_REQUEST_SECONDS: Final = Histogram(
    "tandem_vendor_request_seconds",
    "How long does a vendor take to answer? Of requests that left, without any waiting before.",
    shown_by=VENDOR_CALLERS,
    labels=(SYSTEM, CALL, ACCESS),
    unit="seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
ADDRESSES_REFUSED: Final = Counter(
    "tandem_vendor_addresses_refused_total",
    "How many connections were not made because their address is not allowed?",
    shown_by=VENDOR_CALLERS,
    labels=(ADDRESS,),
)
RATE_LIMITED: Final = Counter(
    "tandem_rate_limit_answers_total",
    "How often did a vendor tell a connection to slow down (429)?",
    shown_by=VENDOR_CALLERS,
    labels=(CONNECTION, SCOPE),
)
RATE_LIMIT_WAITS: Final = Counter(
    "tandem_rate_limit_waits_total",
    "How many requests of a connection had to wait, or were put off, and for what?",
    shown_by=VENDOR_CALLERS,
    labels=(CONNECTION, WAIT),
)
RATE_LIMIT_WAIT_SECONDS: Final = Counter(
    "tandem_rate_limit_wait_seconds_total",
    "How long did requests of a connection wait, or were they put off for?",
    shown_by=VENDOR_CALLERS,
    labels=(CONNECTION, WAIT),
    unit="seconds",
)
RATE_LIMIT_HELD_UNTIL: Final = Gauge(
    "tandem_rate_limit_held_until_timestamp_seconds",
    "Until when does a vendor's limit, or trouble at its site, hold requests of a connection back? In the past: over.",
    shown_by=VENDOR_CALLERS,
    labels=(CONNECTION,),
    unit="seconds",
)
RATE_LIMIT_REMAINING: Final = Gauge(
    "tandem_rate_limit_remaining",
    "How many requests has a connection left, as the vendor last told? Absent: the vendor tells nothing.",
    shown_by=VENDOR_CALLERS,
    labels=(CONNECTION,),
)
RATE_LIMIT_BUDGET: Final = Gauge(
    "tandem_rate_limit_budget",
    "How many requests does the vendor allow a connection in all, as it last told? Absent: the vendor tells nothing.",
    shown_by=VENDOR_CALLERS,
    labels=(CONNECTION,),
)
ROUNDS: Final = Counter(
    "tandem_reconciler_rounds_total",
    "How many rounds (or single reads) did a duty make, and how did they end?",
    shown_by=(RECONCILER,),
    labels=(DUTY, DUTY_CONNECTION, ROUND_RESULT),
)
FOUND: Final = Counter(
    "tandem_reconciler_found_total",
    "How many messages did a duty find reason to publish?",
    shown_by=(RECONCILER,),
    labels=(DUTY, DUTY_CONNECTION),
)
LEFT: Final = Counter(
    "tandem_reconciler_left_total",
    "How much did a duty leave to another one, and why?",
    shown_by=(RECONCILER,),
    labels=(DUTY, DUTY_CONNECTION, LEFT_REASON),
)
LAST_SUCCESS: Final = Gauge(
    "tandem_reconciler_last_success_timestamp_seconds",
    "When did a duty last work?",
    shown_by=(RECONCILER,),
    labels=(DUTY, DUTY_CONNECTION),
    unit="seconds",
)
PRUNED: Final = Counter(
    "tandem_operations_pruned_total",
    "How many closed operations were deleted from the ledgers for their age?",
    shown_by=(RECONCILER,),
)

VENDORS: Final = (
    VENDOR_REQUESTS,
    VENDOR_REQUEST_SECONDS,
    ADDRESSES_REFUSED,
    RATE_LIMITED,
    RATE_LIMIT_WAITS,
    RATE_LIMIT_WAIT_SECONDS,
    RATE_LIMIT_HELD_UNTIL,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_BUDGET,
    ROUNDS,
    FOUND,
    LEFT,
    LAST_SUCCESS,
    PRUNED,
)
