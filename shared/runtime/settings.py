"""Settings from the environment, prefix TANDEM_; each also from a file named by TANDEM_…_FILE, as Kubernetes mounts
secrets.

Every service subclasses `ServiceSettings`. `load_settings` says all that is wrong at once, by the name of the variable.
"""

from __future__ import annotations

import base64
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from shared.domain.errors import OwnWords
from shared.runtime.kafka_security import KafkaSecurity, Mechanism, Protocol, tls_context
from shared.runtime.log import LogUnavailable
from shared.runtime.topics import DEFAULT_PREFIX

PREFIX: Final = "TANDEM_"
_FILE_SUFFIX: Final = "_FILE"
_KEY_BYTES: Final = 32
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OF_SASL: Final = ("USERNAME", "PASSWORD")
_OF_TLS: Final = ("CA_FILE", "CERTIFICATE_FILE", "KEY_FILE")


class SettingsInvalid(OwnWords):
    """The environment is not what the service needs. `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _bootstrap(text: str) -> str:
    servers = [server.strip() for server in text.split(",")]
    for server in servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError(f"{server!r} is not host:port; separate several with commas")
    return ",".join(servers)


def _database_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("postgresql", "postgres") or not url.path.strip("/"):
        # The text itself holds a password.
        raise ValueError("is not of the form postgresql://user:password@host:port/database")
    options = dict(parse_qsl(url.query))
    # What the address leaves open comes from the variables that all clients of Postgres know.
    mode = options.get("sslmode") or os.environ.get("PGSSLMODE")
    authority = options.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if mode is not None and mode not in _SSL_MODES:
        raise ValueError(f"has sslmode={mode}; there are {', '.join(_SSL_MODES)}")
    if mode in ("verify-ca", "verify-full") and authority is None:
        raise ValueError(
            f"has sslmode={mode} without sslrootcert= (or PGSSLROOTCERT), the file with the authority's certificate"
        )
    for name in ("sslrootcert", "sslcert", "sslkey"):
        if name in options and not os.access(options[name], os.R_OK):
            raise ValueError(f"has {name}={options[name]}, and there is no such file, or we may not read it")
    return text


def file_of(name: str) -> Path | None:
    """Return the file from which a setting is read, None if it comes from its variable."""
    path = os.environ.get(PREFIX + name.upper() + _FILE_SUFFIX)
    return None if path is None else Path(path)


def _readable(path: Path | None) -> Path | None:
    if path is not None and not os.access(path, os.R_OK):
        raise ValueError("there is no such file, or we may not read it")
    return path


def _secret_key(text: str) -> str:
    keys = [key.strip() for key in text.split(",")]
    for number, key in enumerate(keys, start=1):
        try:
            given = base64.urlsafe_b64decode(key)
        except ValueError:
            given = b""
        if len(given) != _KEY_BYTES:
            raise ValueError(
                f"key {number} of {len(keys)} is not 32 bytes in URL-safe base64; make one with: "
                "python -m shared.store.secrets"
            )
    return ",".join(keys)


class ServiceSettings(BaseSettings):
    """What every service needs. Secrets are kept out of `repr`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    kafka_bootstrap: Annotated[str, AfterValidator(_bootstrap)]
    """Where Kafka is: host:port, several separated by commas."""
    kafka_security_protocol: Protocol = "PLAINTEXT"
    """How Kafka is spoken to: in the clear, by TLS (SSL), with a login (SASL), or both."""
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    """How we log in to Kafka, where the protocol has SASL."""
    kafka_username: str | None = None
    """Who we are to Kafka. Needed where the protocol has SASL."""
    kafka_password: str | None = Field(default=None, repr=False)
    """The password of that user. Read from a file (`_FILE`), it may be replaced there while a service runs."""
    kafka_ca_file: Annotated[Path | None, AfterValidator(_readable)] = None
    """File with the certificates of the authority that signed the brokers, in PEM; not set: the system's."""
    kafka_certificate_file: Annotated[Path | None, AfterValidator(_readable)] = None
    """File with our own certificate, for brokers that ask for one (mutual TLS), in PEM with its chain."""
    kafka_key_file: Annotated[Path | None, AfterValidator(_readable)] = None
    """File with the key of that certificate, in PEM without a passphrase."""
    kafka_create_topics: bool = True
    """Create missing topics at start; off where another team owns them."""
    kafka_replication_factor: int = Field(default=-1, ge=-1)
    """Of topics that are created; -1: the broker's default."""
    kafka_session_timeout_s: float = Field(default=10.0, ge=1.0, le=300.0)
    """After how long a silent member's partitions go to others. Brokers set bounds: 6 s to 30 min by default."""
    topic_prefix: str = Field(default=DEFAULT_PREFIX, pattern=r"^[a-zA-Z0-9._-]{0,100}$")
    """What the names of all topics and consumer groups begin with. Two installations on one Kafka have two."""
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(repr=False)
    """Where Postgres is, with the login: postgresql://user:password@host:port/database. For TLS, with
    ?sslmode=verify-full&sslrootcert=FILE.
    """
    secret_key: Annotated[str, AfterValidator(_secret_key)] = Field(repr=False)
    """Keys, comma-separated: the first seals credentials, all open them (rotation)."""
    http_host: str = "0.0.0.0"  # noqa: S104  # a container's port is reached from outside of it
    """On which address the HTTP port is opened."""
    http_port: int = Field(default=9090, ge=0, le=65_535)
    """The port of /healthz, /readyz, /metrics and of what the service itself serves; 0: any free one, named in the log
    line `listening`.
    """
    http_head_timeout_s: float = Field(default=10.0, gt=0)
    """How long a connection may take to say what it wants."""
    http_idle_timeout_s: float = Field(default=75.0, gt=0)
    """How long a connection is kept for a next request. Longer than what keeps connections in front of it: most proxies
    60 s, Google's load balancers 600 s.
    """
    http_most_connections: int = Field(default=500, ge=10)
    """Open at once. Beyond it, the one that has been silent for longest is ended."""
    http_proxies: int = Field(default=0, ge=0, le=10)
    """How many proxies of your own every request passes (an ingress: 1). Then clients are told apart by what these say
    in X-Forwarded-For.
    """
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(lambda level: str(level).upper())
    ] = "INFO"
    """The least level that is logged."""
    instance: str = Field(default_factory=lambda: f"{os.uname().nodename}:{os.getpid()}", min_length=1)
    """Names this process in logs, leases and Kafka. Not set: the host's name and the process id."""
    build_revision: str = Field(default="", max_length=100)
    """The commit that this was built from, for `tandem_build_info`; an image says it of itself."""

    @model_validator(mode="after")
    def _security_is_whole(self) -> ServiceSettings:
        """Refuse half of a protection, and what would be ignored: whoever sets it means to be protected by it."""
        protocol = self.kafka_security_protocol
        sasl, tls = protocol.startswith("SASL"), protocol.endswith("SSL")
        given = {f"{PREFIX}KAFKA_{name}": getattr(self, f"kafka_{name.lower()}") for name in _OF_SASL + _OF_TLS}
        if sasl and not (self.kafka_username and self.kafka_password):
            raise ValueError(f"{PREFIX}KAFKA_USERNAME and {PREFIX}KAFKA_PASSWORD are needed with {protocol}")
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            raise ValueError(f"{PREFIX}KAFKA_CERTIFICATE_FILE and {PREFIX}KAFKA_KEY_FILE go together")
        idle = [name for name in _OF_SASL if not sasl] + [name for name in _OF_TLS if not tls]
        for name in (f"{PREFIX}KAFKA_{name}" for name in idle):
            if given[name] is not None:
                raise ValueError(f"{name} is set, and {PREFIX}KAFKA_SECURITY_PROTOCOL {protocol} makes no use of it")
        if tls:
            try:
                tls_context(self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file)
            except LogUnavailable as error:
                raise ValueError(str(error)) from None
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment with the files that it names; no .env file."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, _Environment(settings_cls)

    def kafka_security(self) -> KafkaSecurity:
        """Return how Kafka's clients connect."""
        return KafkaSecurity(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password,
            password_file=file_of("kafka_password"),
            ca_file=self.kafka_ca_file,
            certificate_file=self.kafka_certificate_file,
            key_file=self.kafka_key_file,
        )

    def current_database_url(self) -> str:
        """Return the database's address as it is now: a file that holds it may have been replaced since the start."""
        path = file_of("database_url")
        if path is None:
            return self.database_url
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError):
            return self.database_url


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


class _Environment(EnvSettingsSource):
    """The environment, with the content of files for the settings that it gives as TANDEM_…_FILE.

    Values are trimmed: `$(cat token.txt)` keeps the carriage return of a file with Windows line ends.
    """

    def _load_env_vars(self) -> Mapping[str, str | None]:
        given = {name: None if value is None else value.strip() for name, value in super()._load_env_vars().items()}
        return {**given, **_read_files(self.settings_cls)[0]}


def load_settings(settings_class: type[SettingsT]) -> SettingsT:
    """Return the settings of this process. Raises `SettingsInvalid` with all that is wrong, not just the first."""
    problems = _read_files(settings_class)[1]
    unreadable = {problem.partition(_FILE_SUFFIX)[0] for problem in problems}
    try:
        settings = settings_class()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            variable = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else ""
            if variable not in unreadable:
                problems.append(_in_words(settings_class, variable, problem["type"], problem["msg"], problem["input"]))
        raise SettingsInvalid(problems) from None
    if problems:
        raise SettingsInvalid(problems)
    return settings


def _read_files(settings_class: type[BaseSettings]) -> tuple[dict[str, str], list[str]]:
    """Return values by lower-case variable, from the files that TANDEM_…_FILE name, and what is wrong with them."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for name in settings_class.model_fields:
        variable = PREFIX + name.upper()
        path = os.environ.get(variable + _FILE_SUFFIX)
        if path is None:
            continue
        if variable in os.environ:
            problems.append(f"{variable}{_FILE_SUFFIX} and {variable} are both set; keep one of them")
            continue
        try:
            values[variable.lower()] = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable}{_FILE_SUFFIX} names a file that cannot be read: {error}")
    return values, problems


def _in_words(settings_class: type[BaseSettings], variable: str, kind: str, message: str, value: Any) -> str:
    words = message.removeprefix("Value error, ")
    if not variable:
        return words
    if kind == "missing":
        return f"{variable} is missing{_likely_typo(settings_class, variable)}"
    field = settings_class.model_fields[variable.removeprefix(PREFIX).lower()]
    # What is kept out of repr is a secret, or holds one.
    return f"{variable} {value!r}: {words}" if field.repr and isinstance(value, str) else f"{variable}: {words}"


def _likely_typo(settings_class: type[BaseSettings], variable: str) -> str:
    known = {PREFIX + name.upper() + suffix for name in settings_class.model_fields for suffix in ("", _FILE_SUFFIX)}
    strangers = [name for name in os.environ if name.startswith(PREFIX) and name not in known]
    near = difflib.get_close_matches(variable, strangers, n=1, cutoff=0.8)
    return f" ({near[0]} is set; a slip of the pen?)" if near else ""
