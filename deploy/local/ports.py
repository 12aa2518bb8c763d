"""Free TCP ports on loopback.

Called by whatever starts a server. Ports come from below the range that the kernel gives to outgoing connections,
so that a server that is killed and started again finds its port still free.
"""

from __future__ import annotations

import random
import socket
from itertools import chain

FIRST_PORT = 20_000
LAST_PORT = 32_000
_given: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on and that this process has not been given before.

    Another process may still take it before it is used; with 12,000 candidates at random that is rare, and the
    server then says so in its log. Raises OSError when none is free.
    """
    candidates = range(FIRST_PORT, LAST_PORT)
    begin = random.SystemRandom().randrange(len(candidates))
    for port in chain(candidates[begin:], candidates[:begin]):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {FIRST_PORT} and {LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
