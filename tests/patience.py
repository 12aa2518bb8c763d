"""How long a test waits for real processes and sockets before it says that something hangs.

Never a bound on how fast something is: no test may fail because a machine is slow. How fast is a law on virtual time
(tests/unit, tests/simulation), or a figure of `make bench`.
"""

from __future__ import annotations

from typing import Final

HANGS_S: Final = 240.0
