"""The quick layer of the manifests: as they are, and with each mistake planted that it has to find."""

from __future__ import annotations

import copy
import shutil
from functools import cache
from pathlib import Path

import pytest

from deploy.k8s.checks import quick
from deploy.k8s.checks.objects import Objects, selects
from deploy.k8s.checks.planted import MISTAKES, Layer, Mistake, of_layer
from deploy.k8s.checks.render import COMPOSITIONS, FOLDER, CannotRender, Thing, build, render
from deploy.k8s.generate import stale

BY_NAME = {composition.name: composition for composition in COMPOSITIONS}


@cache
def rendered(name: str) -> tuple[Thing, ...]:
    return tuple(render(BY_NAME[name]))


@pytest.mark.parametrize("name", BY_NAME)
def test_every_composition_is_as_the_code_says(name: str) -> None:
    assert list(quick.findings(rendered(name), BY_NAME[name])) == []


def test_what_is_made_of_the_code_is_up_to_date() -> None:
    assert stale() == []


@pytest.mark.parametrize("mistake", of_layer(Layer.QUICK), ids=lambda mistake: mistake.name)
def test_the_quick_layer_finds(mistake: Mistake) -> None:
    things = copy.deepcopy(rendered(mistake.composition))
    mistake.plant(Objects(things))
    found = list(quick.findings(things, BY_NAME[mistake.composition]))
    assert [words for words in found if mistake.words in words], found


@pytest.mark.parametrize(
    "mistake", [each for each in MISTAKES if each.layer is not Layer.QUICK], ids=lambda mistake: mistake.name
)
def test_what_the_other_layers_have_to_find_can_be_planted(mistake: Mistake) -> None:
    things = copy.deepcopy(rendered(mistake.composition))
    mistake.plant(Objects(things))
    assert list(things) != list(rendered(mistake.composition))


def test_a_key_that_is_there_twice_is_not_rendered(tmp_path: Path) -> None:
    for name in ("base", "admission"):
        shutil.copytree(FOLDER / name, tmp_path / name)
    with (tmp_path / "base" / "mapper.yaml").open("a") as file:
        file.write("  maxUnavailable: 2\n  maxUnavailable: 3\n")
    with pytest.raises(CannotRender, match="already"):
        build(tmp_path / "base")


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ({}, {"a": "b"}, True),
        (None, {"a": "b"}, False),
        ({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True),
        ({"matchLabels": {"a": "c"}}, {"a": "b"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": "b"}, False),
    ],
)
def test_a_selector_matches_as_kubernetes_does(
    selector: dict[str, object] | None, labels: dict[str, str], matches: bool
) -> None:
    assert selects(selector, labels) is matches
