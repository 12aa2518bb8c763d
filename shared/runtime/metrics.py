"""Names of the metrics that every service has, in one typed place, and their text for Prometheus.

Counted by the consumer, the publisher and `shared.runtime.service`. A service's own metrics live with the service.
Labels have few values: never an item, a link or a person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

Fate = Literal["handled", "undecodable", "poison", "failed"]
"""How a message ended: handled, or dead-lettered as not ours, as never possible, as failed again and again."""

ConnectionEnd = Literal["silent", "half_a_head", "idle", "too_much", "made_room", "no_room"]
"""Why we ended an HTTP connection: it asked nothing, or only half; it was not used again; it sent more than a request
has; it had been silent for longest when there were too many; there were too many, all of them at work.
"""

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

MESSAGES: Final = Counter(
    "tandem_messages_total", "Messages that reached their end, by fate.", ["service", "topic", "fate"]
)
RETRIES: Final = Counter(
    "tandem_message_retries_total", "Attempts that failed and will be made again.", ["service", "topic", "error"]
)
HANDLING_SECONDS: Final = Histogram(
    "tandem_message_handling_seconds", "From receipt of a message to its end.", ["service", "topic"], buckets=_SECONDS
)
END_TO_END_SECONDS: Final = Histogram(
    "tandem_message_age_seconds", "From publishing of a message to its end.", ["service", "topic"], buckets=_SECONDS
)
UNFINISHED: Final = Gauge("tandem_messages_unfinished", "Messages received and not at their end.", ["service"])
OLDEST_UNFINISHED_SECONDS: Final = Gauge(
    "tandem_oldest_unfinished_seconds", "Age of the oldest message received and not at its end.", ["service"]
)
PUBLISHED: Final = Counter("tandem_published_total", "Messages acknowledged by the log.", ["service", "topic"])
PUBLISH_FAILURES: Final = Counter(
    "tandem_publish_failures_total", "Publishings that the log did not acknowledge.", ["service"]
)
DEPENDENCY_READY: Final = Gauge(
    "tandem_dependency_ready", "1 if the dependency answered when last asked.", ["service", "dependency"]
)

HTTP_CONNECTIONS: Final = Gauge("tandem_http_connections", "Open connections to the HTTP server.", ["service"])
HTTP_CONNECTIONS_ENDED: Final = Counter(
    "tandem_http_connections_ended_total", "HTTP connections that we ended, by reason.", ["service", "reason"]
)


def count_message(service: str, topic: str, fate: Fate, *, handling_s: float, age_s: float | None) -> None:
    """Count one message at its end. Seconds below zero, from clocks that differ, count as zero."""
    MESSAGES.labels(service, topic, fate).inc()
    HANDLING_SECONDS.labels(service, topic).observe(max(0.0, handling_s))
    if age_s is not None:
        END_TO_END_SECONDS.labels(service, topic).observe(max(0.0, age_s))


def watch_backlog(service: str, unfinished: Callable[[], float], oldest_s: Callable[[], float]) -> None:
    """Ask these functions whenever the metrics are read. The last consumer of a service to say so is the one that is
    asked.
    """
    UNFINISHED.labels(service).set_function(unfinished)
    OLDEST_UNFINISHED_SECONDS.labels(service).set_function(oldest_s)


def metrics_text() -> bytes:
    """Return all metrics of this process in Prometheus's text format."""
    return generate_latest(REGISTRY)
