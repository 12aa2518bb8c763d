"""The file's model: from its data to connections and integrations, and back. Pure.

What the file may say of a connection and an integration is what `shared.domain.mapping` has, without what no admin
writes (ids are the names in the file; revisions; what is found out). A new property there is one here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from shared.as_code.findings import Document, Finding, Path
from shared.domain.differences import CONNECTION_OWNED, INTEGRATION_OWNED, PAIR_OWNED
from shared.domain.mapping import Connection, Integration, Setting
from shared.domain.plain_words import in_words

VERSION: Final = 1
SECTIONS: Final = ("connections", "integrations")
IDENT: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$"
"""The ids that the console takes in its addresses."""

_OWNED: Final[Mapping[str, frozenset[str]]] = {"connections": CONNECTION_OWNED, "integrations": INTEGRATION_OWNED}
ModelT = TypeVar("ModelT", bound=BaseModel)


class SecretReference(Setting):
    """Where a secret is: in an environment variable or in a file of the machine that runs `tandem apply`."""

    env: str | None = Field(default=None, min_length=1, description="Name of an environment variable.")
    file: str | None = Field(default=None, min_length=1, description="Path of a file that holds nothing else.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.env is None) is (self.file is None):
            raise ValueError("is {env: NAME} or {file: path}, one of the two; a secret itself is never in this file")
        return self

    def __str__(self) -> str:
        return f"environment variable {self.env}" if self.env is not None else f"file {self.file}"


class SecretReferences(Setting):
    """The credentials of a connection, each by reference."""

    token: SecretReference | None = None
    webhook_secrets: tuple[SecretReference, ...] = Field(default=(), max_length=2)
    url_token: SecretReference | None = None


@dataclass(frozen=True, slots=True)
class FileConnection:
    """A connection as the file says it."""

    connection: Connection
    secrets: SecretReferences


@dataclass(frozen=True, slots=True)
class Workspace:
    """All that a file says."""

    connections: Mapping[str, FileConnection]
    integrations: Mapping[str, Integration]


def read_workspace(document: Document) -> Workspace | list[Finding]:
    """Return what a document says, or all that is wrong with it, each with its place."""
    reader = _Reader(document)
    connections, integrations = (reader.section(name) for name in SECTIONS)
    read = {ident: reader.connection(ident, body) for ident, body in connections.items()}
    mapped = {ident: reader.integration(ident, body) for ident, body in integrations.items()}
    workspace = Workspace(
        connections={ident: made for ident, made in read.items() if made is not None},
        integrations={ident: made for ident, made in mapped.items() if made is not None},
    )
    return reader.findings or workspace


def file_data(
    connections: Mapping[str, Mapping[str, Any]], integrations: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the data of a file for bodies as the console shows them, by id. What has its default is left out."""
    return {
        "version": VERSION,
        "connections": {ident: _short(Connection, body, CONNECTION_OWNED) for ident, body in connections.items()},
        "integrations": {ident: _integration_data(body) for ident, body in integrations.items()},
    }


def _integration_data(body: Mapping[str, Any]) -> dict[str, Any]:
    data = _short(Integration, body, INTEGRATION_OWNED)
    pairs = Integration.model_validate(body).pairs
    data["pairs"] = {pair.id: _short(type(pair), pair.model_dump(mode="json"), PAIR_OWNED | {"id"}) for pair in pairs}
    return data


def _short(model: type[BaseModel], body: Mapping[str, Any], owned: frozenset[str]) -> dict[str, Any]:
    """Return what a body says beyond the defaults of its model."""
    whole = {name: value for name, value in body.items() if name in model.model_fields}
    said = model.model_validate(whole).model_dump(mode="json", exclude_defaults=True)
    return {name: value for name, value in said.items() if name not in owned}


class _Reader:
    """Goes through a document and notes all that is wrong."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.findings: list[Finding] = []
        self._data = document.data if isinstance(document.data, dict) else {}
        if not isinstance(document.data, dict):
            self._note((), f"the file must begin with `version: {VERSION}`")
            return
        for name in self._data:
            if name not in ("version", *SECTIONS):
                self._note((name,), "is not known here; is it misspelt?", of_key=True)
        if self._data.get("version") != VERSION:
            self._note(("version",), f"must be {VERSION}, the version of this format")

    def section(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the bodies of a section by id."""
        found = self._data.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self._note((name,), "must have a line for each, by id")
            return {}
        bodies = {}
        for ident, body in found.items():
            if not re.fullmatch(IDENT, ident):
                words = "is an id, so it is made of letters, digits and . _ : - only"
                self._note((name, ident), words, of_key=True)
            elif not isinstance(body, dict):
                self._note((name, ident), "must have properties")
            else:
                self._refuse_owned((name, ident), body, _OWNED[name])
                bodies[ident] = {each: value for each, value in body.items() if each not in _OWNED[name]}
        return bodies

    def connection(self, ident: str, body: dict[str, Any]) -> FileConnection | None:
        """Return a connection, None if something is wrong with it."""
        path: Path = ("connections", ident)
        given = {name: value for name, value in body.items() if name != "secrets"}
        for name in ("url", "email"):
            if isinstance(given.get(name), str):
                # As the console saves them: people paste a slash along.
                given[name] = given[name].strip().rstrip("/") if name == "url" else given[name].strip()
        made = self._made(Connection, {**given, "id": ident}, path)
        secrets = self._made(SecretReferences, body.get("secrets") or {}, (*path, "secrets"))
        return FileConnection(made, secrets) if made is not None and secrets is not None else None

    def integration(self, ident: str, body: dict[str, Any]) -> Integration | None:
        """Return an integration, None if something is wrong with it. Pairs are listed by their id."""
        path: Path = ("integrations", ident)
        pairs = body.get("pairs")
        if pairs is None:
            pairs = {}
        if not isinstance(pairs, dict):
            self._note((*path, "pairs"), "must have a line for each field pair, by its id")
            return None
        names = list(pairs)
        listed = []
        for name, pair in pairs.items():
            if not isinstance(pair, dict):
                self._note((*path, "pairs", name), "must have properties: at least kind, jira and craft")
                return None
            self._refuse_owned((*path, "pairs", name), pair, PAIR_OWNED | {"id"})
            listed.append({**{each: v for each, v in pair.items() if each not in PAIR_OWNED}, "id": name})
        return self._made(
            Integration,
            {**body, "id": ident, "types": body.get("types") or [], "pairs": listed},
            path,
            lambda location: pair_path(location, names),
        )

    def _made(
        self, model: type[ModelT], given: Any, path: Path, at: Callable[[Path], Path] = lambda location: location
    ) -> ModelT | None:
        """Validate. Where text is wanted, a number or the like counts by its own text: `1.10`, `0123`."""
        for last in (False, True):
            try:
                return model.model_validate(given)
            except ValidationError as error:
                problems = error.errors(include_url=False, include_input=False, include_context=False)
                texts = {
                    problem["loc"]: self._document.texts[(*path, *at(problem["loc"]))]
                    for problem in problems
                    if problem["type"] == "string_type" and (*path, *at(problem["loc"])) in self._document.texts
                }
                if texts and not last:
                    for location, text in texts.items():
                        given = _put(given, location, text)
                    continue
                for problem in problems:
                    kind = problem["type"]
                    words = in_words(kind, problem["msg"])
                    self._note((*path, *at(problem["loc"])), words, of_key=kind == "extra_forbidden")
                return None
        return None

    def _refuse_owned(self, path: Path, body: Mapping[str, Any], owned: frozenset[str]) -> None:
        for name in body:
            if name in owned:
                self._note((*path, name), "is not written by hand; leave it out", of_key=True)

    def _note(self, path: Path, message: str, *, of_key: bool = False) -> None:
        self.findings.append(Finding(path, message, place=self._document.place(path, of_key=of_key)))


def pair_path(location: Path, names: list[str]) -> Path:
    """Return where something of an integration's body is in the file: pairs have their id instead of a number."""
    match location:
        case ("pairs", int(number), *rest) if number < len(names):
            return ("pairs", names[number], *rest)
        case _:
            return location


def _put(value: Any, location: tuple[str | int, ...], text: str) -> Any:
    """Return a copy with `text` at a location."""
    if not location:
        return text
    first, rest = location[0], location[1:]
    if isinstance(value, dict):
        return {**value, first: _put(value[first], rest, text)}
    return [_put(each, rest, text) if number == first else each for number, each in enumerate(value)]
