"""Reading the body of a request: only when it is asked for, piece by piece, with a limit and at a pace.

Called by the services that take bodies, once they know who sends. What came is nobody's but the caller's: nothing here
keeps a reference to it, so that it is free when the caller lets go of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http import HttpVersion11


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a body has to come. Who is slower is not kept: a body that stands still holds what others need."""

    whole_s: float = 20.0
    """For all of it (Jira itself gives up after 20 s)."""
    idle_s: float = 5.0
    """Between two pieces."""
    grace_s: float = 5.0
    """After so long the rate counts."""
    least_bytes_per_s: int = 8 * 1024

    def deadline(self, begun: float, now: float, received: int) -> float:
        """Return until when the next piece has to be there."""
        return min(begun + self.whole_s, now + self.idle_s, begun + self.grace_s + received / self.least_bytes_per_s)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A body that is not taken in: the status, reason and words of the answer."""

    status: int
    reason: str
    words: str


def too_large(most_bytes: int) -> NotTaken:
    """Return what is said of a body over the limit."""
    return NotTaken(413, "too_large", f"the body is over {most_bytes} bytes")


async def read_body(
    request: web.BaseRequest, take: Callable[[bytes], NotTaken | None], *, most_bytes: int, pace: Pace
) -> NotTaken | None:
    """Hand each piece of the body, as it was sent, to `take`; return why it was not taken to its end, None if it was.

    Asks for the body first, where the sender waits for that (`Expect: 100-continue`). `take` ends the reading by
    returning something. Never raises for anything that a sender can do.
    """
    if (request.content_length or 0) > most_bytes:
        return too_large(most_bytes)
    loop = asyncio.get_running_loop()
    begun, received = loop.time(), 0
    try:
        async with asyncio.timeout_at(pace.deadline(begun, begun, 0)) as scope:
            await _ask_for_it(request)
            while piece := await request.content.readany():
                received += len(piece)
                refused = too_large(most_bytes) if received > most_bytes else take(piece)
                if refused is not None:
                    return refused
                scope.reschedule(pace.deadline(begun, loop.time(), received))
    except TimeoutError:
        return NotTaken(408, "body_timeout", "the body did not arrive in time; send it again")
    except (web.RequestPayloadError, ConnectionError) as error:
        # Undecodable chunks; or nobody is there any more to read this.
        name = type(error).__name__
        # The stream keeps the error, the error its frames, and these the stream: all of it would wait for the
        # collector of garbage, with whatever the stream still holds.
        error.with_traceback(None)
        return NotTaken(400, "broken_body", f"the body broke off or cannot be decoded ({name})")
    return None


async def _ask_for_it(request: web.BaseRequest) -> None:
    if request.version == HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # aiohttp takes an answer for begun by this.
        request.writer.output_size = 0
