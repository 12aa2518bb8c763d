"""Write the files of Prometheus, of its operator and of Grafana: `python -m deploy.monitoring`.

`--faster 60 --out FILE` makes a rules file in which an hour is a minute, for drills; `--runbooks URL` says where the
runbooks are served.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import yaml

from deploy.monitoring.alerts import GROUPS
from deploy.monitoring.dashboards import DASHBOARDS
from deploy.monitoring.dashboards.model import Dashboard
from deploy.monitoring.rules import REAL, RUNBOOKS, Tempo, rendered

OPERATOR: Final = Path("deploy/k8s/components/prometheus-operator")
CHART: Final = Path("deploy/helm/tandem/files")
"""The chart cannot read what lies outside of it."""
GRAFANA: Final = Path("deploy/monitoring/grafana")
RULES: Final = Path("deploy/monitoring/tandem.rules.yaml")
_HEAD: Final = "# Generated from deploy/monitoring by `python -m deploy.monitoring`; do not edit.\n"


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # untyped
    """Writes expressions of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _dumped(document: Mapping[str, Any]) -> str:
    return _HEAD + str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1_000))


def rules_file(tempo: Tempo = REAL, runbooks: str = RUNBOOKS) -> str:
    """Return the rules file of a plain Prometheus."""
    return _dumped(rendered(GROUPS, tempo, runbooks))


def operator_file(runbooks: str = RUNBOOKS) -> str:
    """Return the PrometheusRule that the operator reads."""
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "tandem"},
        "spec": rendered(GROUPS, REAL, runbooks),
    }
    return _dumped(manifest)


def dashboard_file(dashboard: Dashboard) -> str:
    """Return the JSON that Grafana imports."""
    return json.dumps(dashboard.rendered(), indent=1, ensure_ascii=False) + "\n"


def config_maps_file() -> str:
    """Return a ConfigMap per dashboard, with the label by which Grafana's sidecar finds it."""
    return _HEAD + "---\n".join(
        str(
            yaml.dump(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"{each.uid}-dashboard", "labels": {"grafana_dashboard": "1"}},
                    "data": {f"{each.uid}.json": dashboard_file(each)},
                },
                Dumper=_Dumper,
                sort_keys=False,
                width=1_000,
            )
        )
        for each in DASHBOARDS
    )


def files(runbooks: str = RUNBOOKS) -> Mapping[Path, str]:
    """Return everything that is written, by its place in the repository."""
    manifests = {"prometheus-rule.yaml": operator_file(runbooks), "dashboards.yaml": config_maps_file()}
    return {
        RULES: rules_file(runbooks=runbooks),
        **{folder / name: text for folder in (OPERATOR, CHART) for name, text in manifests.items()},
        **{GRAFANA / f"{each.uid}.json": dashboard_file(each) for each in DASHBOARDS},
    }


@click.command()
@click.option("--faster", default=1, show_default=True, help="How many times shorter every duration is.")
@click.option("--runbooks", default=RUNBOOKS, show_default=True, help="Where the runbooks are served.")
@click.option("--out", type=click.Path(path_type=Path), help="Write only a rules file, here.")
def main(faster: int, runbooks: str, out: Path | None) -> None:
    """Write the rules of Prometheus and its operator, and the dashboards of Grafana."""
    if out is not None:
        out.write_text(rules_file(Tempo(faster), runbooks), encoding="utf-8")
        return
    for path, text in files(runbooks).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
