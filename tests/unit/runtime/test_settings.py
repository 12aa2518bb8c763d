"""Settings: everything that is wrong is said at once, by the name of the variable, and no secret is ever shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import Field

from services.console.settings import ConsoleSettings
from shared.runtime.settings import ServiceSettings, SettingsInvalid, load_settings

KEY = Fernet.generate_key().decode()
GOOD = {
    "TANDEM_KAFKA_BOOTSTRAP": "kafka-1:9092, kafka-2:9092",
    "TANDEM_DATABASE_URL": "postgresql://tandem:hunter2@db:5432/tandem",
    "TANDEM_SECRET_KEY": KEY,
}


class ExampleSettings(ServiceSettings):
    """Settings of a service with one of its own."""

    overlap_s: float = Field(default=60.0, gt=0)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give each test an environment with what is needed, and nothing else of ours."""
    for name in [name for name in os.environ if name.startswith("TANDEM_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def problems() -> list[str]:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(ExampleSettings)
    return refused.value.problems


def test_what_is_needed_suffices_and_the_rest_has_defaults() -> None:
    settings = load_settings(ExampleSettings)
    assert settings.kafka_bootstrap == "kafka-1:9092,kafka-2:9092"
    assert (settings.topic_prefix, settings.http_port, settings.log_level) == ("tandem.", 9090, "INFO")
    assert settings.overlap_s == 60.0
    assert settings.instance


def test_all_problems_are_told_at_once_each_by_its_variable(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TANDEM_SECRET_KEY")
    environment.setenv("TANDEM_KAFKA_BOOTSTRAP", "kafka")
    environment.setenv("TANDEM_DATABASE_URL", "mysql://root:hunter2@db/tandem")
    environment.setenv("TANDEM_HTTP_PORT", "eighty")
    environment.setenv("TANDEM_LOG_LEVEL", "chatty")
    environment.setenv("TANDEM_OVERLAP_S", "-1")
    environment.setenv("TANDEM_TOPIC_PREFIX", "no spaces")
    told = problems()
    assert sorted(line.split()[0].rstrip(":") for line in told) == [
        "TANDEM_DATABASE_URL",
        "TANDEM_HTTP_PORT",
        "TANDEM_KAFKA_BOOTSTRAP",
        "TANDEM_LOG_LEVEL",
        "TANDEM_OVERLAP_S",
        "TANDEM_SECRET_KEY",
        "TANDEM_TOPIC_PREFIX",
    ]
    assert "TANDEM_SECRET_KEY is missing" in told
    assert any("'kafka' is not host:port" in line for line in told)


def test_a_slip_of_the_pen_is_pointed_at(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TANDEM_KAFKA_BOOTSTRAP")
    environment.setenv("TANDEM_KAFKA_BOOTSTAP", "kafka:9092")
    assert problems() == ["TANDEM_KAFKA_BOOTSTRAP is missing (TANDEM_KAFKA_BOOTSTAP is set; a slip of the pen?)"]


def test_no_secret_is_shown_in_a_problem_or_in_repr(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings(ExampleSettings)
    assert "hunter2" not in repr(settings)
    assert KEY not in repr(settings)
    environment.setenv("TANDEM_DATABASE_URL", "db:hunter2")
    environment.setenv("TANDEM_SECRET_KEY", "hunter2")
    environment.setenv("TANDEM_KAFKA_PASSWORD", "hunter2")
    environment.setenv("TANDEM_HTTP_PORT", "70000")
    assert "hunter2" not in "".join(problems())


def test_every_setting_can_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n")
    environment.delenv("TANDEM_SECRET_KEY")
    environment.setenv("TANDEM_SECRET_KEY_FILE", str(secret))
    overlap = tmp_path / "overlap"
    overlap.write_text("7.5\n")
    environment.setenv("TANDEM_OVERLAP_S_FILE", str(overlap))
    settings = load_settings(ExampleSettings)
    assert (settings.secret_key, settings.overlap_s) == (KEY, 7.5)


@pytest.mark.parametrize("end", ["\r\n", "\n\r\n", " \t\r"])
def test_line_ends_of_any_system_are_no_part_of_a_secret(
    environment: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(f"{KEY}{end}".encode())
    environment.delenv("TANDEM_SECRET_KEY")
    environment.setenv("TANDEM_SECRET_KEY_FILE", str(secret))
    environment.setenv("TANDEM_CONSOLE_TOKEN", f"a-token-of-some-length{end}")
    settings = load_settings(ConsoleSettings)
    assert (settings.secret_key, settings.console_token) == (KEY, "a-token-of-some-length")


def test_a_token_that_no_header_takes_is_refused_without_showing_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_CONSOLE_TOKEN", "two lines of\r\na hunter2 token")
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(ConsoleSettings)
    (told,) = refused.value.problems
    assert told.startswith("TANDEM_CONSOLE_TOKEN: holds a line end")
    assert "hunter2" not in told


def test_a_file_that_is_missing_or_given_beside_the_value_is_told_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TANDEM_SECRET_KEY")
    environment.setenv("TANDEM_SECRET_KEY_FILE", "/nowhere/key")
    environment.setenv("TANDEM_DATABASE_URL_FILE", "/nowhere/url")
    environment.setenv("TANDEM_HTTP_PORT", "eighty")
    told = problems()
    assert len(told) == 3, told
    assert any(line.startswith("TANDEM_SECRET_KEY_FILE names a file that cannot be read") for line in told)
    assert "TANDEM_DATABASE_URL_FILE and TANDEM_DATABASE_URL are both set; keep one of them" in told


def test_several_keys_are_checked_one_by_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_SECRET_KEY", f"{KEY}, {Fernet.generate_key().decode()}")
    assert len(load_settings(ExampleSettings).secret_key.split(",")) == 2
    environment.setenv("TANDEM_SECRET_KEY", f"{KEY},short")
    (told,) = problems()
    assert "key 2 of 2 is not 32 bytes" in told
    assert "python -m shared.store.secrets" in told


def test_a_password_protected_kafka_needs_user_and_password(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    assert problems() == ["TANDEM_KAFKA_USERNAME and TANDEM_KAFKA_PASSWORD are needed with SASL_SSL"]
    environment.setenv("TANDEM_KAFKA_USERNAME", "tandem")
    environment.setenv("TANDEM_KAFKA_PASSWORD", "hunter2")
    security = load_settings(ExampleSettings).kafka_security()
    arguments = security.arguments()
    assert (arguments["sasl_plain_username"], arguments["sasl_mechanism"]) == ("tandem", "SCRAM-SHA-512")
    assert arguments["ssl_context"] is not None
    assert "hunter2" not in repr(security)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"KAFKA_USERNAME": "tandem"},
            "TANDEM_KAFKA_USERNAME is set, and TANDEM_KAFKA_SECURITY_PROTOCOL PLAINTEXT makes",
        ),
        (
            {"KAFKA_CA_FILE": __file__},
            "TANDEM_KAFKA_CA_FILE is set, and TANDEM_KAFKA_SECURITY_PROTOCOL PLAINTEXT makes",
        ),
        ({"KAFKA_CA_FILE": "/no/such.pem"}, "TANDEM_KAFKA_CA_FILE '/no/such.pem': there is no such file"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": __file__},
            f"the authority's certificates in {__file__} cannot be used",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_KEY_FILE": __file__},
            "TANDEM_KAFKA_CERTIFICATE_FILE and TANDEM_KAFKA_KEY_FILE go together",
        ),
        ({"DATABASE_URL": "postgresql://u:hunter2@db/t?sslmode=verify-full"}, "without sslrootcert="),
        ({"DATABASE_URL": "postgresql://u:hunter2@db/t?sslmode=safe"}, "has sslmode=safe; there are disable, allow,"),
        (
            {"DATABASE_URL": "postgresql://u:hunter2@db/t?sslmode=verify-full&sslrootcert=/no/such.pem"},
            "has sslrootcert=/no/such.pem, and there is no such file",
        ),
    ],
)
def test_half_of_a_protection_is_refused_in_words(
    environment: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    for name, value in given.items():
        environment.setenv(f"TANDEM_{name}", value)
    (problem,) = problems()
    assert told in problem
    assert "hunter2" not in problem


def test_settings_of_other_services_in_the_same_environment_do_not_disturb(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_CONSOLE_TOKEN", "something")
    assert load_settings(ExampleSettings).http_port == 9090
