"""Scenes and settings of the stand-in of Craft.io from JSON, for the control surface and for option files of the demo.

Called by `CraftSite.seed_scene` and `CraftSite.apply_settings`. Items are made through the same API as everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.craft.account import CUSTOM_FIELDS, IMPORTANCES, STATUSES, TERMS
from sandbox.craft.model import Catalogue
from sandbox.craft.person import RefusedError
from sandbox.craft.settings import ADA_KEY, SCOPES, CraftKey, CraftSiteSettings, CraftWebhook, WriteLimit

if TYPE_CHECKING:
    from sandbox.craft.site import CraftSite


M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyScene(_Strict):
    """An API key and its user."""

    key: str = Field(min_length=1)
    name: str = Field(min_length=1)
    scopes: tuple[str, ...] = SCOPES
    workspaces: frozenset[str] | None = None


Plain = Literal["text", "number", "checkbox", "date", "url"]


class WorkspaceScene(_Strict):
    """A workspace; a custom field is a kind, the list of a dropdown's options, or `{"multi_select": options}`."""

    name: str
    key: str = "CRK"
    terminology: Mapping[str, tuple[str, str]] = TERMS
    statuses: tuple[str, ...] = STATUSES
    importances: tuple[str, ...] = IMPORTANCES
    custom_fields: Mapping[str, Plain | tuple[str, ...] | Mapping[Literal["multi_select"], tuple[str, ...]]] = Field(
        default_factory=lambda: dict(CUSTOM_FIELDS)  # type: ignore[arg-type]  # kinds are validated when given
    )
    catalogues: Mapping[Catalogue, tuple[str, ...]] = Field(default_factory=dict)


class ItemScene(BaseModel):
    """An item: `ref` names it for the parents that follow, `by` is an API key; further properties as `CraftPerson`."""

    model_config = ConfigDict(extra="allow")

    title: str
    type: str
    ref: str | None = None
    parent: str | None = None
    workspace: str | None = None
    by: str = ADA_KEY.key


class Scene(_Strict):
    """What to seed, in this order. Scenes add up; nothing is taken away."""

    keys: Sequence[KeyScene] = ()
    workspaces: Sequence[WorkspaceScene] = ()
    items: Sequence[ItemScene] = ()


class WebhookJson(_Strict):
    """See `CraftWebhook`."""

    url: str
    secret: str | None = None
    thin: bool = False
    max_retries: int = Field(default=5, ge=0)


class WriteLimitJson(_Strict):
    """See `WriteLimit`."""

    writes: int = Field(ge=1)
    per_s: float = Field(gt=0)


class SettingsJson(_Strict):
    """Changes of `CraftSiteSettings`, with units in the names; what is absent stays as it is."""

    visibility_lag_s: float | None = Field(default=None, ge=0)
    clock_step_ms: int | None = Field(default=None, ge=1)
    list_order: Literal["updated", "created"] | None = None
    max_page_limit: int | None = Field(default=None, ge=1)
    write_limit: WriteLimitJson | None = None
    webhook: WebhookJson | None = None
    accepts_null_numbers: bool | None = None
    adjacent_parents_only: bool | None = None
    trims_text: bool | None = None
    ignored_fields: tuple[str, ...] | None = None
    lists_system_fields: bool | None = None


def apply_settings(site: CraftSite, data: object) -> dict[str, object]:
    """Change settings and return them all; null takes `webhook` or `write_limit` away. Raises ValueError."""
    wanted = _parsed(SettingsJson, data)
    changes: dict[str, object] = {}
    for name in wanted.model_fields_set:
        value = getattr(wanted, name)
        match name:
            case "webhook":
                changes[name] = None if value is None else CraftWebhook(**value.model_dump())
            case "write_limit":
                changes[name] = None if value is None else WriteLimit(**value.model_dump())
            case _ if value is None:
                raise ValueError(f"{name} cannot be null")
            case "visibility_lag_s":
                changes["visibility_lag"] = timedelta(seconds=value)
            case "clock_step_ms":
                changes["clock_step"] = timedelta(milliseconds=value)
            case _:
                changes[name] = value
    site.configure(**changes)
    return settings_json(site.settings)


def settings_json(settings: CraftSiteSettings) -> dict[str, object]:
    """Return the settings in the shape that `apply_settings` takes; a webhook's secret is not shown."""
    webhook = settings.webhook and {**asdict(settings.webhook), "secret": None}
    return {
        "visibility_lag_s": settings.visibility_lag.total_seconds(),
        "clock_step_ms": round(settings.clock_step / timedelta(milliseconds=1)),
        "list_order": settings.list_order,
        "max_page_limit": settings.max_page_limit,
        "write_limit": settings.write_limit and asdict(settings.write_limit),
        "webhook": webhook,
        "accepts_null_numbers": settings.accepts_null_numbers,
        "adjacent_parents_only": settings.adjacent_parents_only,
        "trims_text": settings.trims_text,
        "ignored_fields": list(settings.ignored_fields),
        "lists_system_fields": settings.lists_system_fields,
    }


def seed(site: CraftSite, data: object) -> dict[str, object]:
    """Seed a scene and return `{"workspaces": {name: id}, "items": {ref or title: id}}`. Raises ValueError with words.

    What was seeded before the words stays.
    """
    scene = _parsed(Scene, data)
    for key in scene.keys:
        site.account.add_key(CraftKey(**key.model_dump()))
    for workspace in scene.workspaces:
        site.account.seed_workspace(**dict(workspace))
    ids = {workspace.name: workspace.id for workspace in site.account.workspaces.values()}
    refs: dict[str, str] = {}
    for item in scene.items:
        properties: dict[str, Any] = dict(item.model_extra or {})
        if item.parent is not None:
            properties["parent"] = refs.get(item.parent, item.parent)
        try:
            if item.workspace is not None:
                properties["workspaceId"] = ids[item.workspace]
            made = site.person(item.by).create_item(type=item.type, title=item.title, **properties)
        except KeyError as error:
            raise ValueError(f"item {item.title!r}: unknown {error}") from error
        except RefusedError as error:
            raise ValueError(f"item {item.title!r}: {error}") from error
        refs[item.ref or item.title] = made["id"]
    return {"workspaces": ids, "items": refs}


def _parsed(model: type[M], data: object) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = (
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        raise ValueError("; ".join(lines)) from error
