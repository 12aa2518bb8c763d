"""The smallest service that the supervisor can supervise: `python -m tests.local_stack.echo_service [stubborn|broken]`.

It answers 200 and its process id to whatever is asked on TANDEM_HTTP_PORT. `stubborn` ignores SIGTERM; `broken` dies at
once, after saying why.
"""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.supervisor import ServiceSpec


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer whatever is asked with our process id."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())


def echo_spec(folder: Path, *behaviour: str) -> ServiceSpec:
    """Describe an echo service that logs into `folder`."""
    port = free_port()
    return ServiceSpec(
        name="echo",
        argv=(sys.executable, "-m", "tests.local_stack.echo_service", *behaviour),
        env={"TANDEM_HTTP_PORT": str(port)},
        log_path=folder / "echo.log",
        http=f"http://127.0.0.1:{port}",
    )


def main(behaviour: list[str]) -> int:
    """Serve until told to stop."""
    if "broken" in behaviour:
        sys.stderr.write("TANDEM_DATABASE_URL is missing\n")
        return 1
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in behaviour else lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", int(os.environ["TANDEM_HTTP_PORT"])), _Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
