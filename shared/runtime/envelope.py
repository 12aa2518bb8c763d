"""CloudEvents 1.0 in Kafka's binary mode: a message as headers and a JSON value, and back.

Called by the publisher and the consumer, and by nobody else. Knows all message types; never does I/O.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from shared.domain.errors import OwnWords, Poison
from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.messages.config import ConfigRevision
from shared.messages.rehearsal import Rehearsal
from shared.messages.request import SyncRequest
from shared.messages.status import SyncStatus
from shared.messages.trouble import Trouble
from shared.messages.write import WriteCommand, WriteOutcome
from shared.runtime.log import ReceivedRecord, Record
from shared.runtime.trace import valid_traceparent

MESSAGE_CLASSES: Final[tuple[type[Message], ...]] = (
    ChangeEvent,
    SyncRequest,
    WriteCommand,
    WriteOutcome,
    Trouble,
    SyncStatus,
    ConfigRevision,
    Rehearsal,
)
_BY_TYPE: Final = {message_class.TYPE: message_class for message_class in MESSAGE_CLASSES}
_SPEC_VERSION: Final = "1.0"
_SHOWN_PROBLEMS: Final = 5
_OURS: Final = "tandem."
_VERSION: Final = re.compile(r"v[1-9]\d*")
_UNKNOWN_MEMBER: Final = frozenset({"enum", "literal_error"})


class Undecodable(Poison):
    """A record that is not one of our messages. The words say what is wrong with it, for whoever reads the dead
    letters.
    """


class FromNewerRelease(OwnWords):
    """A message of ours that a newer release has written and this one cannot understand. Not lost: it waits until this
    process has been upgraded, which a rollout does within minutes.
    """


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message with its CloudEvents context. `time` is the producer's clock; `traceparent` None if missing or
    malformed.
    """

    message: Message
    event_id: str
    source: str
    time: datetime
    traceparent: str | None


def encode(message: Message, *, topic: str, source: str, now: datetime, event_id: str, traceparent: str) -> Record:
    """Return the record of a message. Pure.

    Raises `Poison` for content that no JSON reader would take (nested deeper than about 250 levels).
    """
    key = message.key()
    headers = {
        "ce_specversion": _SPEC_VERSION,
        "ce_type": message.TYPE,
        "ce_source": source,
        "ce_id": event_id,
        "ce_time": now.isoformat(),
        "ce_subject": key,
        "content-type": "application/json",
        "traceparent": traceparent,
    }
    return Record(topic=topic, key=key, value=_body(message), headers=headers)


def decode(record: ReceivedRecord) -> Envelope:
    """Return the message of a record. Pure.

    Raises `FromNewerRelease` for a type or version of ours, or a member of an enumeration, that is not known here, and
    `Undecodable` for another's type, missing or broken attributes, bad JSON, a body that the model refuses.
    """
    headers = record.headers
    missing = [name for name in ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time") if not headers.get(name)]
    if missing:
        raise Undecodable(f"not a CloudEvent: header {', '.join(missing)} missing")
    if headers["ce_specversion"] != _SPEC_VERSION:
        raise Undecodable(f"CloudEvents version {headers['ce_specversion']!r}; only {_SPEC_VERSION} is known")
    message_class = _class_of(headers["ce_type"])
    content_type = headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Undecodable(f"content type {content_type!r}; only application/json is known")
    if record.value is None:
        raise Undecodable(f"{message_class.TYPE}: the record has no value")
    return Envelope(
        message=_message(message_class, record.value),
        event_id=headers["ce_id"],
        source=headers["ce_source"],
        time=_time(headers["ce_time"]),
        traceparent=valid_traceparent(headers.get("traceparent")),
    )


def _body(message: Message) -> bytes:
    try:
        return message.model_dump_json(exclude_defaults=True).encode()
    except PydanticSerializationError:
        # Half of a surrogate pair in some vendor's text has no UTF-8, but it has a JSON escape.
        try:
            return json.dumps(
                message.model_dump(mode="json", exclude_defaults=True), separators=(",", ":"), allow_nan=False
            ).encode()
        except (ValueError, RecursionError) as error:
            raise Poison(f"{message.TYPE} cannot be written as JSON: {error}") from error


def _class_of(type_: str) -> type[Message]:
    found = _BY_TYPE.get(type_)
    if found is not None:
        return found
    stem, _, version = type_.rpartition(".")
    versions = sorted(known.rpartition(".")[2] for known in _BY_TYPE if known.rpartition(".")[0] == stem)
    if versions and _VERSION.fullmatch(version):
        raise FromNewerRelease(f"{stem} has version {version}, and this release knows {', '.join(versions)}")
    if _VERSION.fullmatch(version) and type_.startswith(_OURS):
        raise FromNewerRelease(f"{type_} is no type that this release knows")
    raise Undecodable(f"unknown type {type_!r}")


def _message(message_class: type[Message], value: bytes) -> Message:
    try:
        return message_class.model_validate_json(value)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "json_invalid":
            raise _refused(message_class, error) from error
        return _message_from_odd_json(message_class, value, error)


def _message_from_odd_json(message_class: type[Message], value: bytes, first: ValidationError) -> Message:
    """Read what pydantic's own parser refuses but `encode` may have written: half surrogate pairs, deep nesting."""
    try:
        return message_class.model_validate(json.loads(value))
    except ValidationError as error:
        raise _refused(message_class, error) from error
    except (ValueError, RecursionError) as error:
        raise Undecodable(f"{message_class.TYPE}: {_problems(first)}") from error


def _refused(message_class: type[Message], error: ValidationError) -> FromNewerRelease | Undecodable:
    """Tell a message that holds members we do not know from one that is broken."""
    kinds = {problem["type"] for problem in error.errors(include_url=False, include_input=False)}
    if kinds <= _UNKNOWN_MEMBER:
        return FromNewerRelease(f"{message_class.TYPE} holds what this release does not know: {_problems(error)}")
    return Undecodable(f"{message_class.TYPE}: {_problems(error)}")


def _problems(error: ValidationError) -> str:
    """Return the first problems with their places, never with the input: it may not be meant for a log."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    shown = [
        f"{'.'.join(str(step) for step in problem['loc']) or 'body'}: {problem['msg']}"
        for problem in problems[:_SHOWN_PROBLEMS]
    ]
    if len(problems) > _SHOWN_PROBLEMS:
        shown.append(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    return "; ".join(shown)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise Undecodable(f"ce_time {text!r} is not a time") from error
    if time.tzinfo is None:
        raise Undecodable(f"ce_time {text!r} has no time zone")
    return time
