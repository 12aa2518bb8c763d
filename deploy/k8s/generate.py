"""Write the manifests that are made of the code: `python -m deploy.k8s.generate`. The quick checks say if it is due.

Topics and their settings come from `shared.runtime.topics`, what each service may do on Kafka from
`shared.runtime.access`, what a try begins with from the stand-ins. Each file is one entry of `FILES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.k8s.first_mapping import OPTIONS, first_mapping
from shared.runtime.access import ACCESS, TOOLS, rights
from shared.runtime.topics import DEFAULT_PREFIX, POLICIES

FOLDER: Final = Path(__file__).resolve().parents[1]
"""`deploy`."""
_COMMAND: Final = "python -m deploy.k8s.generate"
_KAFKA: Final = "kafka.strimzi.io/v1"
_LABELS: Final = {"strimzi.io/cluster": "tandem"}


def topics() -> Iterator[Mapping[str, Any]]:
    """Yield a KafkaTopic for each topic. How many copies there are is the cluster's default."""
    for topic, policy in POLICIES.items():
        yield {
            "apiVersion": _KAFKA,
            "kind": "KafkaTopic",
            "metadata": {"name": DEFAULT_PREFIX + topic, "labels": _LABELS},
            "spec": {"partitions": policy.partitions, "config": policy.configuration()},
        }


def users() -> Iterator[Mapping[str, Any]]:
    """Yield a KafkaUser for each service and each tool, with its rights and no others."""
    for name, access in {**ACCESS, **TOOLS}.items():
        acls: dict[tuple[str, str], list[str]] = {}
        for right in rights(access):
            acls.setdefault((right.resource, right.name), []).append(right.operation)
        yield {
            "apiVersion": _KAFKA,
            "kind": "KafkaUser",
            "metadata": {"name": kafka_user(name), "labels": _LABELS},
            "spec": {
                "authentication": {"type": "scram-sha-512"},
                "authorization": {
                    "type": "simple",
                    "acls": [
                        {
                            "resource": {"type": resource, "name": named, "patternType": "literal"},
                            "operations": sorted(operations),
                        }
                        for (resource, named), operations in acls.items()
                    ],
                },
            },
        }


def kafka_user(service: str) -> str:
    """Return the Kafka user of a service or a tool; its ServiceAccount and the Secret of its password have that name
    too.
    """
    return f"tandem-{service.replace('_', '-')}"


_STRIMZI: Final[Mapping[str, Callable[[], str]]] = {
    "topics.yaml": lambda: manifests(topics()),
    "users.yaml": lambda: manifests(users()),
}
_STAND_INS: Final[Mapping[str, Callable[[], str]]] = {"options.json": lambda: json.dumps(OPTIONS, indent=2) + "\n"}
FILES: Final[Mapping[str, Callable[[], str]]] = {
    **{f"k8s/components/strimzi/{name}": make for name, make in _STRIMZI.items()},
    **{f"k8s/components/stand-ins/{name}": make for name, make in _STAND_INS.items()},
    # The chart cannot read what lies outside of it.
    **{f"helm/tandem/files/{name}": make for name, make in {**_STRIMZI, **_STAND_INS}.items()},
    "k8s/overlays/dev/tandem.yaml": first_mapping,
}
"""What is written, by path in this folder."""


def manifests(objects: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as the text of a file that Kustomize reads."""
    documents = [yaml.dump(dict(one), sort_keys=False, width=120, Dumper=_Plain) for one in objects]
    return f"# Made from the code by `{_COMMAND}`; not to be edited.\n" + "---\n".join(documents)


class _Plain(yaml.SafeDumper):  # type: ignore[misc]  # it ships no types
    """Repeats what is repeated, instead of naming it once."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never make an alias."""
        del data
        return True


def stale() -> list[str]:
    """Return in words which files are not what the code says."""
    return [
        f"deploy/{path} is not what the code says: run {_COMMAND}"
        for path, make in FILES.items()
        if not _is(FOLDER / path, make())
    ]


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


def main() -> int:
    """Write all files."""
    for path, make in FILES.items():
        (FOLDER / path).write_text(make())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
