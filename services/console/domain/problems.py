"""What goes wrong for a caller, as values with words: what is wrong, where, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.console.domain.validation.finding import Finding, Severity
from shared.domain.differences import Difference
from shared.domain.plain_words import in_words


class Fault(BaseModel):
    """One thing that is wrong with a request. `path` is where, such as `pairs[3].values`; empty: the whole."""

    model_config = ConfigDict(frozen=True)

    path: str
    message: str


class Problem(BaseModel):
    """The body of every answer from 400 on."""

    model_config = ConfigDict(frozen=True)

    status: int
    code: str = Field(description="For programs: stays the same when the words change.")
    message: str
    next_step: str
    problems: tuple[Fault, ...] = ()
    findings: tuple[Finding, ...] = Field(default=(), description="All that a check of a mapping found.")
    current: Any = Field(default=None, description="409 only: what is saved now.")
    changes: tuple[Difference, ...] | None = Field(
        default=None,
        description="409 only: what is different in `current`, compared with the revision that was edited.",
    )


class Refusal(Exception):
    """A request that is answered with a problem. Nothing was changed."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        next_step: str,
        *,
        faults: Sequence[Fault] = (),
        findings: Sequence[Finding] = (),
        current: object = None,
        changes: tuple[Difference, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(
            status=status,
            code=code,
            message=message,
            next_step=next_step,
            problems=tuple(faults),
            findings=tuple(findings),
            current=current,
            changes=changes,
        )


def not_found(what: str, next_step: str) -> Refusal:
    """Return a 404."""
    return Refusal(HTTPStatus.NOT_FOUND, "not_found", what, next_step)


def invalid(*faults: Fault) -> Refusal:
    """Return a 422 for a body or query of which every fault is known."""
    first = faults[0]
    message = f"{first.path}: {first.message}" if first.path else first.message
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        message + more,
        "Correct what `problems` names and send it again. /api/v1/openapi.json has the shapes.",
        faults=faults,
    )


def refused_mapping(findings: Sequence[Finding]) -> Refusal:
    """Return the 422 for a mapping that has errors: all findings, the errors also as faults."""
    errors = [each for each in findings if each.severity is Severity.ERROR]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "mapping_has_errors",
        errors[0].message + more,
        "Nothing was saved. `findings` says for each error what to do; correct them and save again.",
        faults=[Fault(path=each.path, message=each.message) for each in errors],
        findings=findings,
    )


def faults_of(error: ValidationError) -> list[Fault]:
    """Return what pydantic found, in words, each with its path; never with the input, which may be a secret."""
    return [
        Fault(path=_path(problem["loc"]), message=in_words(problem["type"], problem["msg"]))
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path
