"""A mapping of every kind of field, between stand-ins that have them all: Jira with `rich_fields`, a workspace with
`RICH_FIELDS` and `RICH_CATALOGUES`.

For tests and for trying things out; the demo's own mapping is `deploy.local.scene`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local import scene
from sandbox.jira import things
from shared.domain.ids import PairId
from shared.domain.mapping import Direction, FieldKind, FieldPair, Integration, Shape, ValuePair

_REGIONS = (("10401", "Europe"), ("10401/10411", "Berlin"), ("10401/10412", "Paris"), ("10402", "America"))
_PERSONAS = (("10201", "Admin"), ("10202", "Buyer"), ("10203", "Visitor"))
_SIZES = (("1", "S"), ("2", "S"), ("3", "M"), ("5", "L"), ("8", "XL"))
_KANO = (("10501", "must-be"), ("10502", "performance"), ("10503", "attractive"))


def integration(
    *,
    project: str,
    fields: Mapping[str, str],
    workspace: Mapping[str, Any],
    people: Sequence[tuple[str, str]] = (),
    fallback: tuple[str | None, str | None] | None = None,
    time_zone: str = "UTC",
) -> Integration:
    """Return the integration. `fields` are Jira's field ids by name, `workspace` is as in the stand-in's
    `state()["workspaces"]`, `people` pairs of account ids.
    """
    plain = scene.integration(project=project, workspace=workspace, craft_root=None)
    mapped = _Mapped(fields, workspace)
    stand_in = None if fallback is None else ValuePair(jira=fallback[0], craft=fallback[1])
    who = tuple(ValuePair(jira=j, craft=c) for j, c in people)
    pairs = (*mapped.selects(), *mapped.lists(), *mapped.others(), mapped.pair("assignee", FieldKind.USER, "assignee",
        "assignee", values=who, fallback=stand_in))  # fmt: skip
    kept = tuple(pair for pair in plain.pairs if pair.id not in ("points", "area"))
    draft = {**plain.model_dump(), "pairs": (*kept, *pairs), "time_zone": time_zone}
    return Integration.model_validate(draft)


class _Mapped:
    """Finds fields and options by name, as an admin would in lists."""

    def __init__(self, fields: Mapping[str, str], workspace: Mapping[str, Any]) -> None:
        self._fields = fields
        self._custom = {field["name"]: field for field in workspace["customFields"]}
        self._catalogues = workspace["catalogues"]

    def pair(self, name: str, kind: FieldKind, jira: str, craft: str, **more: Any) -> FieldPair:
        return FieldPair(
            id=PairId(name), kind=kind, jira=self._fields.get(jira, jira), craft=self._craft(craft), **more
        )

    def _craft(self, name: str) -> str:
        return f"custom:{self._custom[name]['id']}" if name in self._custom else name

    def _option(self, field: str, label: str) -> str:
        return str(next(each["id"] for each in self._custom[field]["options"] if each["label"] == label))

    def _entity(self, catalogue: str, name: str) -> str:
        return str(next(each["id"] for each in self._catalogues[catalogue] if each["name"] == name))

    def selects(self) -> tuple[FieldPair, ...]:
        """One of a list on at least one side."""
        regions = tuple(ValuePair(jira=j, craft=self._option("Region", c)) for j, c in _REGIONS)
        sizes = tuple(ValuePair(jira=j, craft=self._option("Size", c)) for j, c in _SIZES)
        sprints = tuple(
            ValuePair(jira=one.id, craft=self._entity("sprint", one.name)) for one in things.sprints().values()
        )
        quarters = tuple(
            ValuePair(jira=one.name, craft=self._entity("quarter", one.name)) for one in things.versions().values()
        )
        approved = (
            ValuePair(jira="10301", craft="true"),
            ValuePair(jira=None, craft="false"),
            ValuePair(jira=None, craft=None),
        )
        kano = tuple(ValuePair(jira=j, craft=c) for j, c in _KANO)
        option = FieldKind.OPTION
        return (
            self.pair("region", option, things.REGION, "Region", jira_shape=Shape.CASCADE, values=regions),
            self.pair("size", option, "Story Points", "Size", jira_shape=Shape.NUMBER, values=sizes),
            self.pair("sprint", option, things.SPRINT, "sprint", jira_shape=Shape.SPRINT, values=sprints),
            self.pair("quarter", option, "fixVersions", "quarter", jira_shape=Shape.NAME, values=quarters),
            self.pair("kano", option, things.SIZE, "kano", values=kano),
            self.pair(
                "approved", option, things.CHECKBOX, "Approved",
                jira_shape=Shape.ONE_REFERENCE, craft_shape=Shape.TEXT, values=approved,
            ),
        )  # fmt: skip

    def lists(self) -> tuple[FieldPair, ...]:
        """Several of a list."""
        personas = tuple(ValuePair(jira=j, craft=self._entity("personas", c)) for j, c in _PERSONAS)
        parts = ("Web", "iOS", "Android")
        components = tuple(
            ValuePair(jira=one.id, craft=self._option("Platforms", part))
            for one, part in zip(things.components().values(), parts, strict=True)
        )
        return (
            self.pair("personas", FieldKind.OPTIONS, things.PLATFORMS, "personas", values=personas),
            self.pair("platforms", FieldKind.OPTIONS, "components", "Platforms", values=components),
        )

    def others(self) -> tuple[FieldPair, ...]:
        """What needs no value map."""
        reach = {"to_craft": "scale(value, 0.5)", "to_jira": "scale(value, 2)"}
        return (
            self.pair("go_live", FieldKind.DATETIME, things.MOMENT, "Go live"),
            self.pair("launch", FieldKind.DATE, things.MOMENT, "Launch day", jira_shape=Shape.MOMENT,
                direction=Direction.TO_CRAFT),
            self.pair("design", FieldKind.STRING, things.ADDRESS, "Design"),
            self.pair("effort", FieldKind.NUMBER, "Reach", "effort", direction=Direction.TO_CRAFT,
                to_craft=reach["to_craft"]),
        )  # fmt: skip
