"""All settings as data: of every service, of the command line, and of the commands that an operator runs.

`docs/configuration.md` is made of it (`python -m tandem_ops.settings_docs`), the deployment is checked against it, and
`tandem doctor` knows by it which TANDEM_ variables mean nothing. Reads no environment.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from services.console.settings import ConsoleSettings
from services.craft_writer.settings import CraftWriterSettings
from services.jira_writer.settings import JiraWriterSettings
from services.mapper.settings import MapperSettings
from services.reconciler.settings import ReconcilerSettings
from services.webhook_gateway.settings import GatewaySettings
from shared.runtime.settings import PREFIX, ServiceSettings
from tandem_cli.settings import SETTINGS as COMMAND_LINE
from tandem_ops.settings import READ, OpsSettings

FILE_SUFFIX: Final = "_FILE"
SETTINGS_CLASSES: Final[Mapping[str, type[ServiceSettings]]] = {
    "webhook_gateway": GatewaySettings,
    "mapper": MapperSettings,
    "jira_writer": JiraWriterSettings,
    "craft_writer": CraftWriterSettings,
    "reconciler": ReconcilerSettings,
    "console": ConsoleSettings,
}
COMMAND: Final = "tandem"
"""How the command line is named among the readers of a setting."""
_MIGRATE: Final = "migrate"
_READ_BY_MIGRATE: Final = ("TANDEM_DATABASE_URL", "TANDEM_SECRET_KEY")
_BOUNDS: Final[Mapping[type, tuple[str, str, str]]] = {
    Ge: ("at least", "ge", ""),
    Gt: ("more than", "gt", ""),
    Le: ("at most", "le", ""),
    Lt: ("less than", "lt", ""),
    MinLen: ("at least", "min_length", " character(s)"),
    MaxLen: ("at most", "max_length", " characters"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. The value of `file_variable` is the path of a file that has the value."""

    variable: str
    file_variable: str
    type: str
    """In words: `number`, `whole number`, `text`, `yes or no`, `path`, or the values that it may have."""
    bounds: str
    """In words; empty: none but those of the type."""
    default: str | None
    """As it would be written; None: it has none."""
    required: bool
    unit: str | None
    read_by: tuple[str, ...]
    """Services in the order of a change's way, then commands."""
    secret: bool
    description: str


def settings_of(service: str) -> dict[str, Setting]:
    """Return all settings of a service by their variable. Raises KeyError."""
    fields = SETTINGS_CLASSES[service].model_fields
    return {variable: _setting(variable, field, service) for variable, field in _named(fields)}


def all_settings() -> dict[str, Setting]:
    """Return every setting by its variable, with all who read it; in the order in which services have them."""
    found: dict[str, Setting] = {}
    for service in SETTINGS_CLASSES:
        for variable, one in settings_of(service).items():
            known = found.get(variable, replace(one, read_by=()))
            found[variable] = replace(known, read_by=(*known.read_by, service))
    for variable in _READ_BY_MIGRATE:
        found[variable] = replace(found[variable], read_by=(*found[variable].read_by, _MIGRATE))
    for variable, field in _named({name: OpsSettings.model_fields[name] for name in sorted(READ)}):
        one = _setting(variable, field, COMMAND)
        known = found.get(variable, replace(one, read_by=()))
        found[variable] = replace(known, read_by=(*known.read_by, COMMAND))
    for variable, words, secret in COMMAND_LINE:
        new = Setting(variable, variable + FILE_SUFFIX, "text", "", None, True, None, (), secret, words)
        known = found.get(variable, new)
        found[variable] = replace(known, read_by=(*known.read_by, COMMAND))
    return found


def _named(fields: Mapping[str, FieldInfo]) -> list[tuple[str, FieldInfo]]:
    return [(PREFIX + name.upper(), field) for name, field in fields.items()]


def _setting(variable: str, field: FieldInfo, service: str) -> Setting:
    return Setting(
        variable=variable,
        file_variable=variable + FILE_SUFFIX,
        type=_type(field.annotation),
        bounds=_bounds(field.metadata),
        default=_default(field),
        required=field.is_required(),
        unit=_unit(variable),
        read_by=(service,),
        # What is kept out of repr is a secret, or holds one.
        secret=not field.repr,
        description=" ".join((field.description or "").split()),
    )


def _type(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin in (Union, types.UnionType):
        return _type(next(part for part in parts if part is not type(None)))
    if origin is Literal:
        return ", ".join(str(part) for part in parts)
    return {bool: "yes or no", int: "whole number", float: "number", str: "text", Path: "path"}[annotation]


def _bounds(metadata: list[Any]) -> str:
    return ", ".join(
        f"{words} {getattr(each, name):.15g}{what}"
        for each in metadata
        for kind, (words, name, what) in _BOUNDS.items()
        if isinstance(each, kind)
    )


def _default(field: FieldInfo) -> str | None:
    if field.default is PydanticUndefined or field.default is None:
        return None
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:.15g}" if isinstance(field.default, float) else str(field.default)


def _unit(variable: str) -> str | None:
    words = variable.split("_")
    return "seconds" if words[-1] == "S" else "bytes" if "BYTES" in words else None
