"""The quick layer: `python -m deploy.k8s.checks.quick`, part of `make check`.

Renders every composition and holds it against the code, without a cluster and without a network. Prints a line for each
thing that is wrong; exit code 1 if there is any.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from deploy.k8s.checks import chart, definitions, kafka, network_needs, references, workloads
from deploy.k8s.checks.objects import Objects, title
from deploy.k8s.checks.render import COMPOSITIONS, FOLDER, CannotRender, Composition, Thing, components, render
from deploy.k8s.generate import stale


def findings(things: Sequence[Thing], composition: Composition) -> Iterator[str]:
    """Yield everything that is wrong with the objects of a composition."""
    malformed = [f"{title(thing)}: {words}" for thing in things for words in definitions.problems(thing)]
    yield from malformed
    if malformed:
        # The other rules take the shapes for granted.
        return
    objects = Objects(things)
    yield from workloads.findings(objects)
    yield from references.findings(objects)
    yield from kafka.findings(objects)
    yield from network_needs.findings(objects, composition)


def _unchecked() -> Iterator[str]:
    folders = [FOLDER / composition.folder / "kustomization.yaml" for composition in COMPOSITIONS]
    named = " ".join(path.read_text() for path in [*folders, *FOLDER.glob("components/*/kustomization.yaml")])
    laid = {name for composition in COMPOSITIONS for name in composition.components}
    for name in components():
        if name not in laid and f"/{name}\n" not in named and f"/{name} " not in named and f"/{name}]" not in named:
            yield f"component {name} is in no composition of deploy/k8s/checks/render.py: nothing checks it"


def _chart(rendered: Mapping[str, Sequence[Thing]]) -> Iterator[str]:
    for profile in chart.PROFILES:
        yield from (f"{profile}: {words}" for words in chart.differences(rendered[profile], chart.template(profile)))
    yield from chart.refusal()


def main() -> int:
    """Check all compositions, the chart, and what is made of the code."""
    found = [*stale(), *_unchecked()]
    said = f"{len(COMPOSITIONS)} compositions"
    rendered: dict[str, Sequence[Thing]] = {}
    try:
        for composition in COMPOSITIONS:
            rendered[composition.name] = render(composition)
            found += [f"{composition.name}: {words}" for words in findings(rendered[composition.name], composition)]
    except CannotRender as error:
        found.append(str(error))
    try:
        chart.helm()
    except CannotRender as error:
        sys.stdout.write(f"left out: the Helm chart ({error})\n")
    else:
        try:
            found += [f"chart: {words}" for words in _chart(rendered)]
        except (CannotRender, KeyError) as error:
            found.append(f"chart: {error}")
        said += f", and the chart in {len(chart.PROFILES)} profiles,"
    for line in found:
        sys.stderr.write(f"{line}\n")
    if not found:
        sys.stdout.write(f"Kubernetes manifests: {said} are as the code says\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
