"""A Kafka and a Postgres that let nobody in without TLS, a password and a right: an authority of the test's own, users
with SCRAM, Kafka's StandardAuthorizer, Postgres with certificates.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from shared.runtime.access import Right
from shared.runtime.kafka_security import KafkaSecurity

PASSWORD: Final = "correct horse"
APP: Final = "tandem_app"
_RESOURCES: Final = {"topic": 2, "group": 3}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}
_LITERAL: Final = 3
_ALLOW: Final = 3
_ISSUED: Final = datetime(2020, 1, 1, tzinfo=UTC)
_YEARS: Final = timedelta(days=365 * 50)


@dataclass(frozen=True)
class Authority:
    """Somebody who signs certificates for 127.0.0.1, in a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def found(cls, folder: Path, name: str) -> Authority:
        """Begin one, whose own certificate is in `ca.pem`."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        builder = _certificate(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        authority = cls(folder, key, builder.sign(key, hashes.SHA256()))
        authority.ca_file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
        return authority

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, address: str | None = "127.0.0.1") -> tuple[Path, Path]:
        """Return the files of a certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(_named(name), self.certificate.subject, key)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        certificate, keys = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        keys.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, keys


@dataclass
class SecuredKafka:
    """A broker with a listener for SASL_SSL, one for certificates (SSL), and the plain one for whoever looks after it.

    Whoever comes by the plain one may do everything; the others what they are granted.
    """

    server: KafkaServer
    port: int
    certificates_port: int
    authority: Authority

    @classmethod
    def prepared(cls, folder: Path, jars: Path, users: Iterable[str]) -> SecuredKafka:
        """Return one whose users have the password `PASSWORD`, not started yet."""
        authority = Authority.found(folder / "authority", "Authority of this test")
        certificate, key = authority.issue("broker")
        store = folder / "broker-store.pem"
        store.write_bytes(key.read_bytes() + certificate.read_bytes())
        port, certificates_port, server = free_port(), free_port(), KafkaServer(folder / "kafka", jars)
        listeners = (
            f"PLAINTEXT://127.0.0.1:{server.port},SECURED://127.0.0.1:{port},CERTIFIED://127.0.0.1:{certificates_port}"
        )
        server.more_properties = f"""
listeners={listeners},CONTROLLER://127.0.0.1:{server.controller_port}
advertised.listeners={listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL,CERTIFIED:SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secured.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.certified.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={store}
ssl.truststore.type=PEM
ssl.truststore.location={authority.ca_file}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""
        server.format_with = [
            argument
            for user in users
            for argument in ("--add-scram", f"SCRAM-SHA-512=[name={user},iterations=4096,password={PASSWORD}]")
        ]
        return cls(server, port, certificates_port, authority)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def user(self, name: str, *, password: str = PASSWORD, ca_file: Path | None = None) -> KafkaSecurity:
        """Return how a user connects."""
        return KafkaSecurity(
            protocol="SASL_SSL", username=name, password=password, ca_file=ca_file or self.authority.ca_file
        )

    async def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Let a user do something, as an operator would."""
        await self._change(CreateAclsRequest, user, rights)

    async def withdraw(self, user: str, rights: Iterable[Right]) -> None:
        """Let a user no longer do something."""
        await self._change(DeleteAclsRequest, user, rights)

    async def _change(
        self, request: type[CreateAclsRequest | DeleteAclsRequest], user: str, rights: Iterable[Right]
    ) -> None:
        connection = await create_conn("127.0.0.1", self.server.port, client_id="operator")
        with closing(connection):
            for right in rights:
                answer = await connection.send(
                    request(
                        _RESOURCES[right.resource],
                        right.name,
                        _LITERAL,
                        f"User:{user}",
                        "*",
                        _OPERATIONS[right.operation],
                        _ALLOW,
                    )
                )
                done = getattr(answer, "creation_responses", None) or answer.filter_responses
                assert [code for code, *_ in done] == [0], (right, done)


def postgres_with_tls() -> Path | None:
    """Return where the programs of a Postgres are that this machine has installed: the wheel's is built without TLS."""
    found = [Path("/usr/lib/postgresql").glob("*/bin/postgres"), Path("/usr/pgsql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    places = [path.resolve() for paths in found for path in paths] + ([Path(on_path).resolve()] if on_path else [])
    return next((path.parent for path in places if (path.parent / "initdb").exists()), None)


async def secured_postgres(folder: Path, binaries: Path) -> tuple[PostgresServer, Authority]:
    """Return a Postgres that is running, in which the user `APP` gets in by TLS and `PASSWORD` only."""
    authority = Authority.found(folder / "authority", "Authority of the database")
    certificate, key = authority.issue("database")
    server = PostgresServer(folder / "postgres", binaries=binaries)
    if server.user is not None:
        entry = pwd.getpwnam(server.user)
        os.chown(key, entry.pw_uid, entry.pw_gid)
    key.chmod(0o600)
    server.more_settings = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
    await server.start()
    admin = await asyncpg.connect(server.url, timeout=10)
    try:
        await admin.execute(f"CREATE ROLE {APP} LOGIN PASSWORD '{PASSWORD}'")
        await admin.execute(f"GRANT ALL ON SCHEMA public TO {APP}")
        (server.folder / "data" / "pg_hba.conf").write_text(
            f"hostssl all {APP} 127.0.0.1/32 scram-sha-256\nhost all {APP} 127.0.0.1/32 reject\n"
            "host all all 127.0.0.1/32 trust\n"
        )
        await admin.execute("SELECT pg_reload_conf()")
    finally:
        await admin.close()
    return server, authority


def app_url(server: PostgresServer, options: Mapping[str, str], password: str = PASSWORD) -> str:
    """Return the address by which the services come in."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"postgresql://{APP}:{password.replace(' ', '%20')}@127.0.0.1:{server.port}/tandem?{query}"


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_ISSUED)
        .not_valid_after(_ISSUED + _YEARS)
    )
