"""Structured logs: one JSON object per line on standard error, with the ids that join the lines of one change.

Configured once by `shared.runtime.service`; the consumer binds the ids of the message in hand. Content of items never
goes into a log line: ids, causes and the words of errors do.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.messages.config import ConfigRevision
from shared.messages.rehearsal import Rehearsal
from shared.messages.request import SyncRequest
from shared.messages.status import SyncStatus
from shared.messages.trouble import Trouble
from shared.messages.write import WriteCommand, WriteOutcome

_QUIET: Final = {"aiokafka": logging.CRITICAL, "aiohttp.access": logging.WARNING, "asyncio": logging.WARNING}
"""Libraries that say at length what our own lines say once: aiokafka, ten times a second while a broker is away."""

_TRACEBACKS: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
"""Tracebacks without the values of local variables: these hold credentials and the content of items."""


def configure_logs(level: str, *, service: str, instance: str) -> None:
    """Send all logs, ours and those of libraries through `logging`, as JSON lines to standard error. Idempotent.

    Every line has `at`, `level`, `logger`, `event`, `service` and `instance`, and what is bound in structlog's
    contextvars.
    """

    def name_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        event["instance"] = instance
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        name_process,
        structlog.processors.StackInfoRenderer(),
        _TRACEBACKS,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))


def correlation(message: Message) -> dict[str, str]:
    """Return the ids by which the log lines of one change are found: link_id, op_id, entity, those that the message
    has.
    """
    match message:
        case ChangeEvent():
            ids: dict[str, str | None] = {
                "entity": f"{message.side}:{message.entity_id}",
                "connection_id": message.connection_id,
                "change_id": message.change_id,
            }
        case SyncRequest():
            ids = {"link_id": message.link_id, "request_id": message.request_id}
        case WriteCommand() | WriteOutcome():
            ids = {"link_id": message.link_id, "op_id": message.op_id}
        case SyncStatus() | Trouble():
            ids = {"link_id": message.link_id}
        case ConfigRevision():
            ids = {"config": message.key()}
        case Rehearsal():
            ids = {"dry_run": message.dry_run_id, "item": str(message.item)}
        case _:
            ids = {}
    return {name: value for name, value in ids.items() if value is not None}
