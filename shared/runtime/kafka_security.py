"""How Kafka's clients prove who they are, and how they know the broker: TLS, SASL, and files that are replaced while
the service runs.

Made from the settings (`ServiceSettings.kafka_security`); asked by every client each time that it connects.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from shared.runtime.log import LogUnavailable

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
State = Sequence[tuple[int, int, int] | None]


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """What a client needs to connect. Files are read at each connect; `state` tells when they have been replaced."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    """Where the password is read from, if it came from a file; it then goes before `password`."""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def arguments(self) -> Mapping[str, Any]:
        """Return the keyword arguments of aiokafka's clients. Raises `LogUnavailable` for a file that cannot be
        used.
        """
        arguments: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            arguments["ssl_context"] = tls_context(self.ca_file, self.certificate_file, self.key_file)
        if self.protocol.startswith("SASL"):
            arguments |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(),
            }
        return arguments

    def state(self) -> State:
        """Return what changes when one of the files is replaced, also by the symbolic link of a Kubernetes mount."""
        files = (self.password_file, self.ca_file, self.certificate_file, self.key_file)
        return [_state_of(file) for file in files if file is not None]

    def _password(self) -> str | None:
        if self.password_file is None:
            return self.password
        try:
            return self.password_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise LogUnavailable(f"the password of Kafka cannot be read: {error}") from error


PLAINTEXT: Final = KafkaSecurity()


def tls_context(ca_file: Path | None, certificate_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks the server's certificate and name. Raises `LogUnavailable` with words."""
    what, path = "the authority's certificates", ca_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate_file is not None:
            what, path = "the client's certificate or key", certificate_file
            context.load_cert_chain(certificate_file, key_file)
    except OSError as error:
        # ssl.SSLError is one too: not PEM, or a key that belongs to another certificate.
        raise LogUnavailable(f"{what} in {path} cannot be used: {error.strerror or error}") from error
    return context


def _state_of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
