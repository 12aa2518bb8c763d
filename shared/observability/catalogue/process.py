"""What every service tells of itself: its build, what it depends on, its messages, its HTTP server."""

from __future__ import annotations

from typing import Final

from shared.observability.labels import (
    COMPONENT,
    CONSUMERS,
    DEAD_REASON,
    DEPENDENCY,
    END_REASON,
    ERROR,
    EVERYWHERE,
    FATE,
    PYTHON,
    REVISION,
    SCHEMA,
    TOPIC,
    VERSION,
)
from shared.observability.metrics import Counter, Gauge, Histogram, Info

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

BUILD: Final = Info(
    "tandem_build_info",
    "Which build runs here?",
    shown_by=EVERYWHERE,
    labels=(COMPONENT, VERSION, REVISION, SCHEMA, PYTHON),
)
DEPENDENCY_UP: Final = Gauge(
    "tandem_dependency_up",
    "Does what the service depends on answer it? 1 if it does; asked whenever the metrics are read.",
    shown_by=EVERYWHERE,
    labels=(COMPONENT, DEPENDENCY),
)
MESSAGES: Final = Counter(
    "tandem_messages_total",
    "How many messages came to their end, and which?",
    shown_by=CONSUMERS,
    labels=(COMPONENT, TOPIC, FATE),
)
DEAD_LETTERS: Final = Counter(
    "tandem_dead_letters_total",
    "How many messages were given up and put on the dead-letter topic, and why?",
    shown_by=CONSUMERS,
    labels=(COMPONENT, TOPIC, DEAD_REASON),
)
RETRIES: Final = Counter(
    "tandem_message_retries_total",
    "How many attempts at messages failed and are made again?",
    shown_by=CONSUMERS,
    labels=(COMPONENT, TOPIC, ERROR),
)
HANDLING_SECONDS: Final = Histogram(
    "tandem_message_handling_seconds",
    "How long does it take from the receipt of a message to its end?",
    shown_by=CONSUMERS,
    labels=(COMPONENT, TOPIC),
    unit="seconds",
    buckets=SECONDS,
)
AGE_SECONDS: Final = Histogram(
    "tandem_message_age_seconds",
    "How old is a message at its end, since it was published?",
    shown_by=CONSUMERS,
    labels=(COMPONENT, TOPIC),
    unit="seconds",
    buckets=SECONDS,
)
UNFINISHED: Final = Gauge(
    "tandem_messages_unfinished",
    "How many messages were received and are not at their end?",
    shown_by=CONSUMERS,
    labels=(COMPONENT,),
)
OLDEST_UNFINISHED_SECONDS: Final = Gauge(
    "tandem_messages_oldest_unfinished_age_seconds",
    "How old is the oldest message that was received and is not at its end? 0: there is none.",
    shown_by=CONSUMERS,
    labels=(COMPONENT,),
    unit="seconds",
)
PUBLISHED: Final = Counter(
    "tandem_published_total",
    "How many messages did the log acknowledge?",
    shown_by=EVERYWHERE,
    labels=(COMPONENT, TOPIC),
)
PUBLISH_FAILURES: Final = Counter(
    "tandem_publish_failures_total",
    "How often did the log not acknowledge what was published?",
    shown_by=EVERYWHERE,
    labels=(COMPONENT,),
)
HTTP_CONNECTIONS: Final = Gauge(
    "tandem_http_connections",
    "How many connections to its HTTP server are open?",
    shown_by=EVERYWHERE,
    labels=(COMPONENT,),
)
HTTP_CONNECTIONS_ENDED: Final = Counter(
    "tandem_http_connections_ended_total",
    "How many HTTP connections did we end, and why?",
    shown_by=EVERYWHERE,
    labels=(COMPONENT, END_REASON),
)

PROCESS: Final = (
    BUILD,
    DEPENDENCY_UP,
    MESSAGES,
    DEAD_LETTERS,
    RETRIES,
    HANDLING_SECONDS,
    AGE_SECONDS,
    UNFINISHED,
    OLDEST_UNFINISHED_SECONDS,
    PUBLISHED,
    PUBLISH_FAILURES,
    HTTP_CONNECTIONS,
    HTTP_CONNECTIONS_ENDED,
)
