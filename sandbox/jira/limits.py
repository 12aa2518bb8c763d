"""Limits: on Cloud of the writes per issue (20 in 2 s, 100 in 30 s), on Data Center of the requests per user if an
administrator has set one; each with the headers of its edition.

`check_write` is called by each endpoint that changes an issue, before it changes anything; `check_requests` once per
request. Time is the site's own clock.
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
LIMIT_INTERVAL_S = 1
"""How often Data Center's bucket of a user gets its tokens back."""


def check_write(world: World, call: Call, issue: Issue) -> None:
    """Count one write on the issue and put the headers on the answer; raises the 429 when it is one too many."""
    if not world.settings.write_limit or not world.edition.limits_writes_per_issue:
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


def check_requests(world: World, call: Call) -> None:
    """Take a token of the caller's bucket and put the headers on the answer; raises the 429 when there is none.

    `retry-after` is on every answer, 0 while there are tokens, as Data Center has it.
    """
    most = world.settings.requests_per_interval
    if not most or call.account is None:
        return
    now = world.clock()
    filled_at, left = world.buckets.get(call.account.account_id, (now, float(most)))
    left = min(float(most), left + (now - filled_at).total_seconds() * most / LIMIT_INTERVAL_S)
    taken = left >= 1
    world.buckets[call.account.account_id] = (now, left - 1 if taken else left)
    headers = {
        "x-ratelimit-limit": str(most),
        "x-ratelimit-remaining": str(int(left - 1 if taken else 0)),
        "x-ratelimit-interval-seconds": str(LIMIT_INTERVAL_S),
        "x-ratelimit-fillrate": str(most),
        "retry-after": "0" if taken else str(LIMIT_INTERVAL_S),
    }
    if not taken:
        raise Refusal(429, "Rate limit exceeded.", headers=headers)
    call.headers.update(headers)
