"""The download trusts what the machine trusts, and says in one line what to set where it cannot."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local import jars as kafka_jar_files
from deploy.local.jars import CHECKOUT, kafka_jars
from deploy.local.processes import LocalStackError
from deploy.local.progress import SilentProgress
from tests.patience import HANGS_S

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>example.orchard</groupId><artifactId>apple</artifactId><version>1.0</version></project>"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with key and certificate for localhost, signed by nobody that a machine knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("authority") / "company.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def repository(folder: Path, certificate: Path) -> Iterator[str]:
    """Serve a Maven repository with one artifact over TLS, as a company's mirror does. Yield its address."""
    artifact = folder / "example/orchard/apple/1.0"
    artifact.mkdir(parents=True)
    (artifact / "apple-1.0.pom").write_text(POM)
    (artifact / "apple-1.0.jar").write_bytes(b"PK\5\6" + bytes(18))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        # A refused certificate is no matter of the server's.
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def fetched(tmp_path: Path, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith(("_proxy", "_bundle"))}
    caches = {"M2_REPO": str(tmp_path / "m2"), "JGO_CACHE_DIR": str(tmp_path / "jgo"), "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-m", "deploy.local.fetch", str(tmp_path / "jars"), "example.orchard:apple:1.0"],
        cwd=CHECKOUT,
        env={**inherited, **caches, "TANDEM_MAVEN_URL": url, **environment},
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        check=False,
    )


def test_a_certificate_that_the_machine_trusts_suffices(tmp_path: Path, authority: Path) -> None:
    with repository(tmp_path / "mirror", authority) as url:
        done = fetched(tmp_path, url, SSL_CERT_FILE=str(authority))
    assert done.returncode == 0, done.stderr
    assert [jar.name for jar in (tmp_path / "jars").iterdir()] == ["apple-1.0.jar"]


def test_another_certificate_is_refused_in_one_line_that_says_what_to_set(tmp_path: Path, authority: Path) -> None:
    with repository(tmp_path / "mirror", authority) as url:
        refused = fetched(tmp_path, url)
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("The certificate of the download's server is not trusted. Set SSL_CERT_FILE")
    assert "Traceback" not in refused.stderr


def test_a_server_that_is_not_there_is_told_in_one_line_too(tmp_path: Path) -> None:
    failed = fetched(tmp_path, "https://localhost:1")
    assert failed.returncode == 1
    assert "set HTTPS_PROXY to its proxy, or TANDEM_MAVEN_URL" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr


async def test_the_stack_passes_those_words_on(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_jar_files, "COORDINATES", ("example.orchard:apple:1.0",))
    with repository(tmp_path / "mirror", authority) as url:
        monkeypatch.setenv("TANDEM_MAVEN_URL", url)
        with pytest.raises(LocalStackError, match="Set SSL_CERT_FILE") as failed:
            await kafka_jars(SilentProgress(), cache=tmp_path / "cache")
    assert "Traceback" not in str(failed.value)
