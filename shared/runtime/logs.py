"""Structured logs: one JSON object per line on standard error, with the ids that join the lines of one change.

Configured once by `shared.runtime.service`; the consumer binds the ids of the message in hand. No line holds bytes from
outside that were not passed through a field of ours: of a library's line it has the logger, the level, the place, and
the words only if they stand in that library's own code; of an exception what `shared.runtime.error_words` tells.
Content of items and credentials never go into a log line.
"""

from __future__ import annotations

import inspect
import logging
import sys
import threading
import warnings
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, TextIO

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
from shared.runtime.error_words import traced_back

_QUIET: Final = {"aiokafka": logging.CRITICAL, "aiohttp.access": logging.WARNING, "asyncio": logging.WARNING}
"""Libraries that say at length what our own lines say once: aiokafka, ten times a second while a broker is away."""

_WITHHELD: Final = "a library said something; its words are withheld"

_log = structlog.get_logger(__name__)


def configure_logs(level: str, *, service: str, instance: str) -> None:
    """Send all logs, ours and those of libraries through `logging`, as JSON lines to standard error. Idempotent.

    Every line has `at`, `level`, `logger`, `event`, `service` and `instance`, and what is bound in structlog's
    contextvars. What Python itself would print (warnings, errors that nobody caught) becomes such a line too.
    """

    def name_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        event["instance"] = instance
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        name_process,
        _exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_of_a_library, *shared],
            # Arguments are never put into a library's words, not even to be thrown away.
            use_get_message=False,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=_kind),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))
    _take_over_from_python()


class _Handler(logging.StreamHandler[Any]):
    """Writes lines. One that cannot be written is named, where `logging` would print it with all its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """Say that a line is missing."""
        sys.stderr.write(f'{{"level": "error", "event": "a log line cannot be written", "logger": "{record.name}"}}\n')


def _of_a_library(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Reduce a line that did not come from us: neither its arguments nor words that were put together at run time."""
    record: logging.LogRecord = event["_record"]
    kept = {name: event[name] for name in ("_record", "_from_structlog", "exc_info") if name in event}
    file = "/".join(PurePath(record.pathname).parts[-2:])
    return kept | {"event": _template(record), "where": f"{file}:{record.lineno} in {record.funcName}"}


def _template(record: logging.LogRecord) -> str:
    """Return the words of a library before its arguments are put in, if they are a constant of the calling code."""
    frame = inspect.currentframe()
    while frame is not None:
        code = frame.f_code
        if (code.co_filename, code.co_name) == (record.pathname, record.funcName):
            return record.msg if isinstance(record.msg, str) and record.msg in code.co_consts else _WITHHELD
        frame = frame.f_back
    return _WITHHELD


def _exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put what may be told of an exception in the place of the exception."""
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = traced_back(error)
    return event


def _kind(value: object) -> str:
    """Return what stands for a value that is no JSON: its type, since its text is anybody's."""
    return f"<{type(value).__name__}>"


def _take_over_from_python() -> None:
    """Let warnings, and errors that nobody caught, become lines of ours: Python prints them with all their words."""

    def warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        del message, file, line
        _log.warning("a warning of Python", category=category.__name__, where=f"{filename}:{lineno}")

    def uncaught(_type: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        _log.critical("nobody caught this", exc_info=error)

    warnings.showwarning = warned
    sys.excepthook = uncaught
    sys.unraisablehook = lambda found: _log.error("an error while cleaning up", exc_info=found.exc_value)
    threading.excepthook = lambda found: _log.error("a thread failed", exc_info=found.exc_value)


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
