"""How long a service may take to stop, and how that time is divided among its parts.

Read by `shared.runtime.service` and the consumer, and by whoever deploys: what kills a process that is still stopping
must wait for longer than `STOP_WITHIN_S`.
"""

from __future__ import annotations

from typing import Final

STOP_WITHIN_S: Final = 25.0
"""From SIGTERM to the end of the process, at most: by then it ends itself, as if killed, whatever hangs.

In Kubernetes, `terminationGracePeriodSeconds` is this, 5 s, and what `preStop` takes: the default of 30 s does without
a `preStop`. Nothing is lost when it is less: what was not finished is done again by others, later than need be.
"""

FINISH_S: Final = 8.0
"""Of that: how long handlers that run may go on. What takes longer is cancelled, and done again by others."""

RUN_WITHIN_S: Final = 15.0
"""Of that: from SIGTERM to the end of all that the service does, with `FINISH_S` in it."""

HTTP_WITHIN_S: Final = 5.0
"""Of that, after the service has ended: how long HTTP requests under way may go on. The rest closes connections."""
