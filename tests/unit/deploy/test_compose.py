"""compose.yaml against the code: what nobody finds out before Docker runs it, but for Docker itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.k8s.checks import code

ROOT = Path(__file__).resolve().parents[3]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
PARTS: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: part for name, part in PARTS.items() if "build" in part}
MADE_UP = {
    "POSTGRES_PASSWORD": "secret",
    "TANDEM_SECRET_KEY": "A" * 43 + "=",
    "TANDEM_CONSOLE_TOKEN": "x" * 32,
    "GRAFANA_PASSWORD": "secret",
}


def filled(text: str) -> str:
    """Return a text with its variables replaced, as Compose does."""

    def value(found: re.Match[str]) -> str:
        return MADE_UP.get(found["name"]) or found["default"] or ""

    return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}", value, text)


def mounts(part: Mapping[str, Any]) -> Iterator[str]:
    for volume in part.get("volumes", ()):
        yield str(volume).split(":")[0]


def test_every_service_of_tandem_is_there_and_runs_from_one_image() -> None:
    modules = {part["command"][2] for part in OURS.values()}
    assert modules == {f"services.{name}" for name in code.SERVICES} | {"shared.store.migrate", "sandbox"}
    assert all(code.runs(module) for module in modules)
    assert len({part["image"] for part in OURS.values()}) == 1


@pytest.mark.parametrize("name", [name for name in OURS if OURS[name]["command"][2].startswith("services.")])
def test_a_service_takes_its_settings(name: str) -> None:
    environment = {key: filled(value) for key, value in OURS[name]["environment"].items()}
    assert environment.keys() <= code.known_variables()
    assert code.settings_problems(name.replace("-", "_"), environment) == []


@pytest.mark.parametrize("name", OURS)
def test_nothing_of_ours_may_write_to_its_files_or_gain_rights(name: str) -> None:
    part = OURS[name]
    assert (part["read_only"], part["cap_drop"]) == (True, ["ALL"])
    assert part["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", PARTS)
def test_what_it_names_is_there(name: str) -> None:
    part = PARTS[name]
    for source in mounts(part):
        assert (ROOT / source).exists() if source.startswith("./") else source in FILE["volumes"], source
    assert set(part.get("depends_on", ())) <= PARTS.keys()
    assert not filled(part["image"]).endswith(":latest")
    assert ":" in filled(part["image"])


def test_nothing_is_published_beyond_this_machine_and_no_port_twice() -> None:
    published = [port for part in PARTS.values() for port in part.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert len({port.split(":")[1] for port in published}) == len(published)


def test_prometheus_asks_every_service_and_grafana_finds_it() -> None:
    asked = yaml.safe_load((ROOT / "deploy/compose/prometheus.yaml").read_text())["scrape_configs"][0]
    (names,) = asked["dns_sd_configs"]
    assert set(names["names"]) == {name.replace("_", "-") for name in code.SERVICES}
    assert names["port"] == code.HTTP_PORT
    (source,) = yaml.safe_load((ROOT / "deploy/compose/grafana/datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["type"] == "prometheus"
    (provider,) = yaml.safe_load((ROOT / "deploy/compose/grafana/dashboards/tandem.yaml").read_text())["providers"]
    assert any(volume.endswith(f":{provider['options']['path']}:ro") for volume in PARTS["grafana"]["volumes"])
    assert len(list((ROOT / "deploy/monitoring/grafana").glob("*.json"))) == 4


def test_the_image_takes_what_the_wheel_is_made_of_and_nothing_secret() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert all((ROOT / path).exists() for path in kept)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {path for line in copied for path in line.split()} == set(kept)
