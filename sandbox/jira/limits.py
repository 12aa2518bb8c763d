"""The limit on writes per issue: 20 in 2 s and 100 in 30 s, with the headers of Jira Cloud.

Called by each endpoint that changes an issue, before it changes anything. Time is the site's own clock.
"""

from __future__ import annotations

import math
from datetime import timedelta

from sandbox.jira.http import Call, Refusal
from sandbox.jira.model import Issue
from sandbox.jira.world import World

WINDOWS = ((timedelta(seconds=2), 20), (timedelta(seconds=30), 100))
REASON = "jira-per-issue-on-write"
_NEAR = 0.2


def check_write(world: World, call: Call, issue: Issue) -> None:
    """Count one write on the issue and put the headers on the answer; raises the 429 when it is one too many."""
    if not world.settings.write_limit:
        return
    now = world.clock()
    writes = issue.writes
    while writes and writes[0] <= now - WINDOWS[-1][0]:
        writes.popleft()
    for window, most in WINDOWS:
        recent = [one for one in writes if one > now - window] if len(writes) >= most else ()
        if len(recent) >= most:
            free_at = recent[len(recent) - most] + window
            raise Refusal(
                429,
                "Rate limit exceeded",
                headers={
                    "retry-after": str(max(1, math.ceil((free_at - now).total_seconds()))),
                    "x-ratelimit-limit": str(most),
                    "x-ratelimit-remaining": "0",
                    "x-ratelimit-reset": f"{free_at:%Y-%m-%dT%H:%M:%SZ}",
                    "ratelimit-reason": REASON,
                },
            )
    writes.append(now)
    window, most = WINDOWS[0]
    left = most - sum(1 for one in writes if one > now - window)
    call.headers["x-ratelimit-limit"] = str(most)
    call.headers["x-ratelimit-remaining"] = str(left)
    if left < most * _NEAR:
        call.headers["x-ratelimit-nearlimit"] = "true"
