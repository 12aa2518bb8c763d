"""What one operation of the API is. The routes and the OpenAPI document are both made from these, so neither can
forget one.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from services.console.domain.drafts import Draft, NoQuery

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, parsed and checked."""

    path: Mapping[str, str]
    query: Any
    body: Any
    if_match: int | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path below `/api/v1`. `body` None: it takes none."""

    method: str
    path: str
    summary: str
    handle: Callable[[Call], Awaitable[BaseModel]]
    answer: type[BaseModel]
    status: HTTPStatus = HTTPStatus.OK
    query: type[Draft] = NoQuery
    body: type[BaseModel] | None = None
    refusals: tuple[HTTPStatus, ...] = ()
    revised: bool = False
    """True for what has revisions: answers carry an ETag, writes take If-Match."""

    @property
    def name(self) -> str:
        """Return the operation's id."""
        return self.method.lower() + re.sub(r"\W+", "_", self.path).rstrip("_")

    @property
    def parameters(self) -> list[str]:
        """Return the names in the path."""
        return _PARAMETER.findall(self.path)
