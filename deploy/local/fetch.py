"""Resolve Maven coordinates and copy their jars into a folder: `python -m deploy.local.fetch FOLDER COORDINATE…`.

Run by `jars.kafka_jars` as a process of its own, because the resolver takes its cache folders from the environment.
Never decides whether a jar may be used: `jars` checks names and digests.

Trusts what the machine trusts and, if SSL_CERT_FILE is set, the certificates in that file: behind a company's proxy
that is another authority than those that come with Python packages.

Each coordinate is resolved by a call of its own: two in one call are resolved to a common older kafka-clients, with
which the broker dies of NoSuchMethodError.
"""

from __future__ import annotations

import os
import shutil
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import truststore

# Before anything that makes connections is imported: it keeps the class of its TLS contexts.
truststore.inject_into_ssl()

import jgo  # noqa: E402

MIRROR_VARIABLE = "TANDEM_MAVEN_URL"
_ADVICE = (
    f"In a company's network, set HTTPS_PROXY to its proxy, or {MIRROR_VARIABLE} to its mirror of Maven Central, and "
    "try again."
)
_CERTIFICATE_ADVICE = (
    "Set SSL_CERT_FILE to a file with the certificates that your network uses (PEM, as your administrator or "
    "/etc/ssl/certs has it) and try again."
)


def fetch(folder: Path, coordinates: list[str], mirror: str | None = None) -> None:
    """Copy the jars of all coordinates to the folder, each file name once; the first coordinate wins."""
    repositories = {"central": mirror} if mirror else None
    folder.mkdir(parents=True, exist_ok=True)
    for coordinate in coordinates:
        for jar in jgo.build(coordinate, repositories=repositories).all_jars:
            target = folder / jar.name
            if not target.exists():
                shutil.copyfile(jar, target)


def in_one_line(error: Exception) -> str:
    """Return what went wrong and what to set."""
    if any(isinstance(one, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(one) for one in _causes(error)):
        return f"The certificate of the download's server is not trusted. {_CERTIFICATE_ADVICE}"
    words = " ".join(str(error).split())[:300]
    return f"The download failed ({type(error).__name__}: {words}). {_ADVICE}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def main(argv: list[str]) -> int:
    """Fetch; on failure say in one line what to set, since a traceback says it to nobody."""
    try:
        fetch(Path(argv[0]), argv[1:], os.environ.get(MIRROR_VARIABLE))
    except Exception as error:  # noqa: BLE001  # the last one to see it: the resolver raises all kinds
        sys.stderr.write(f"{in_one_line(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
