"""Scenes and settings from JSON, for the control surface and for option files of the demo.

Called by `JiraSite.seed_scene` and `JiraSite.apply_settings`. Issues are made through the REST interface, by a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from sandbox.jira.http import Refusal
from sandbox.jira.model import JsonObject
from sandbox.jira.person import PersonRefused

if TYPE_CHECKING:
    from sandbox.jira.site import JiraSite

_KEYS = frozenset({"accounts", "projects", "webhooks", "issues"})


def apply_settings(site: JiraSite, data: object) -> object:
    """Change settings; `{"conflict_next": n}` is taken too. Raises ValueError for unknown names and wrong types."""
    wanted = dict(_object(data, "settings"))
    times = wanted.pop("conflict_next", 0)
    if isinstance(times, bool) or not isinstance(times, int):
        raise ValueError("conflict_next is a number of edits")  # noqa: TRY004  # words for the caller of the control surface
    current = asdict(site.settings)
    for name, value in wanted.items():
        if name not in {one.name for one in fields(site.settings)}:
            raise ValueError(f"unknown setting {name!r}")
        if isinstance(current[name], tuple) and isinstance(value, list) and all(isinstance(one, str) for one in value):
            wanted[name] = tuple(value)
            continue
        numbers = isinstance(current[name], float) and isinstance(value, int) and not isinstance(value, bool)
        if type(value) is not type(current[name]) and not numbers:
            raise ValueError(f"{name} is of type {type(current[name]).__name__}, not {type(value).__name__}")
    if times:
        site.conflict_next(times)
    return asdict(site.configure(**wanted))


def seed(site: JiraSite, data: object) -> object:
    """Seed a scene and return `{"issues": {ref: id}, "webhooks": [ids]}`.

    `{"accounts": [{email, name, token?, admin?}], "projects": [{key, name}], "webhooks": [{url, secret?, jql?}],
    "issues": [{project, type, summary, ref?, parent?: ref or id, status?, by?: e-mail, ...fields by name}]}`.
    """
    wanted = _object(data, "a scene")
    if unknown := sorted(set(wanted) - _KEYS):
        raise ValueError(f"a scene has no {', '.join(unknown)}; it takes {', '.join(sorted(_KEYS))}")
    refs: dict[str, str] = {}
    hooks: list[str] = []
    try:
        for one in _rows(wanted, "accounts"):
            token = one.get("token")
            site.add_account(
                str(one["email"]), str(one["name"]), token=str(token) if token else None, admin=one.get("admin") is True
            )
        for one in _rows(wanted, "projects"):
            site.seed_project(str(one["key"]), str(one["name"]))
        for one in _rows(wanted, "webhooks"):
            secret = one.get("secret")
            hooks.append(
                site.register_webhook(
                    str(one["url"]), secret=str(secret) if secret else None, jql=str(one.get("jql") or "")
                )
            )
        for one in _rows(wanted, "issues"):
            _seed_issue(site, one, refs)
    except KeyError as error:
        raise ValueError(f"missing or unknown: {error}") from error
    except PersonRefused as refused:
        raise ValueError(str(refused)) from refused
    except Refusal as refused:
        raise ValueError(f"{refused.status} {refused.body()}") from refused
    return {"issues": refs, "webhooks": hooks}


def _seed_issue(site: JiraSite, one: JsonObject, refs: dict[str, str]) -> None:
    rest = dict(one)
    by = str(rest.pop("by", "ada@example.com"))
    ref, status = rest.pop("ref", None), rest.pop("status", None)
    if rest.get("parent") is not None:
        rest["parent"] = refs.get(str(rest["parent"]), rest["parent"])
    project, summary, kind = (str(rest.pop(name)) for name in ("project", "summary", "type"))
    person = site.person(by)
    issue_id = person.create_issue(project, summary, type=kind, **rest)
    refs[str(ref or summary)] = issue_id
    if status is not None:
        person.transition(issue_id, str(status))


def _object(data: object, what: str) -> JsonObject:
    if not isinstance(data, dict):
        raise ValueError(f"{what} is a JSON object")  # noqa: TRY004  # words for the caller of the control surface
    return data


def _rows(data: JsonObject, name: str) -> Iterator[JsonObject]:
    rows = data.get(name, [])
    if not isinstance(rows, list):
        raise ValueError(f"{name} is a list")  # noqa: TRY004  # words for the caller of the control surface
    for one in rows:
        yield _object(one, f"each of {name}")
