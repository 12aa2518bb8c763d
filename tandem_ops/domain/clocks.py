"""How far the clocks of an installation are apart. Pure.

Order between the vendors' times and ours is decided with a margin of a minute (PROTOCOL); signatures, leases and
expiry dates mind less, but none of them likes a clock that is wrong.
"""

from __future__ import annotations

from typing import Final

from tandem_ops.domain.report import Finding, failed, ok, warning

NOTICED_S: Final = 5.0
TOO_FAR_S: Final = 60.0


def clock_finding(whose: str, ahead_s: float, uncertain_s: float) -> Finding:
    """Judge a clock that is so many seconds ahead of this machine's, measured to so many seconds."""
    apart = max(0.0, abs(ahead_s) - uncertain_s)
    if apart <= NOTICED_S:
        return ok("clocks", f"{whose} agrees with this machine's")
    words = f"{whose} is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's"
    do = "Have all machines take the time from one place (chrony, systemd-timesyncd), and see which one is wrong."
    return failed("clocks", words, do) if apart > TOO_FAR_S else warning("clocks", words, do)
