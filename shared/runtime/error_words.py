"""What a log line says of an exception: its type and where it was raised; its words only if they are ours.

Called wherever a log line or the reason of a dead letter names an error. The words of other people's exceptions repeat
what they choked on: pydantic the value, asyncpg the row, json the text, aiohttp the line, a vendor's answer the title
of an item. Of those, only an engineer with the item before him needs the words, and the place leads there.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any, Final

from aiokafka.errors import KafkaError

from shared.domain.errors import OwnWords

_MOST_CHARACTERS: Final = 500
_MOST_FRAMES: Final = 50
_MOST_CAUSES: Final = 20


def told(error: BaseException) -> str:
    """Return an error for a log line: `Type: words` if its words are ours, else `Type at file:line in function`."""
    name = type(error).__name__
    words = _words(error)
    if words is not None:
        return f"{name}: {words}" if words else name
    if isinstance(error, BaseExceptionGroup):
        return f"{name} ({', '.join(told(inner) for inner in error.exceptions)})"
    return name + _place(error)


def traced_back(error: BaseException) -> list[dict[str, Any]]:
    """Return an error and its causes, the last raised first: types, places in the code, and words that are ours."""
    shown: list[dict[str, Any]] = []
    waiting: list[tuple[BaseException, str]] = [(error, "raised")]
    while waiting and len(shown) < _MOST_CAUSES:
        one, role = waiting.pop(0)
        frames = [
            {"filename": frame.f_code.co_filename, "lineno": line, "name": frame.f_code.co_name}
            for frame, line in traceback.walk_tb(one.__traceback__)
        ]
        shown.append(
            {"exc_type": type(one).__name__, "role": role, "exc_value": _words(one), "frames": frames[-_MOST_FRAMES:]}
        )
        if isinstance(one, BaseExceptionGroup):
            waiting += [(inner, "member") for inner in one.exceptions]
        if one.__cause__ is not None:
            waiting.append((one.__cause__, "cause"))
        elif one.__context__ is not None and not one.__suppress_context__:
            waiting.append((one.__context__, "context"))
    return shown


def _words(error: BaseException) -> str | None:
    """Return the words of an error that speaks of our own and the operator's things only, None of any other.

    Kafka's errors name brokers, topics and sizes, the system's name files and addresses; neither has the content of a
    message. A subclass of OSError from a library (aiohttp has some) is the library's.
    """
    of_the_system = isinstance(error, OSError) and type(error).__module__ == "builtins"
    if of_the_system or isinstance(error, OwnWords | KafkaError):
        return " ".join(str(error).split())[:_MOST_CHARACTERS]
    return None


def _place(error: BaseException) -> str:
    places = list(traceback.walk_tb(error.__traceback__))
    if not places:
        return ""
    frame, line = places[-1]
    return f" at {'/'.join(PurePath(frame.f_code.co_filename).parts[-3:])}:{line} in {frame.f_code.co_name}"
