"""The runbooks that alerts link to, served as the Markdown that they are.

They need no token: whoever is woken reads them before logging in anywhere, and they hold nothing of an installation.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

PATH: Final = "/runbooks"
_PLACES: Final = (Path(str(files("services.console"))) / "runbooks", Path(__file__).parents[3] / "docs" / "runbooks")
"""In the built package, and in a checkout."""


def runbooks() -> Mapping[str, str]:
    """Return the text of each runbook by the name of its alert. Reads files: called once, at start."""
    folder = next((place for place in _PLACES if place.is_dir()), None)
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))} if folder else {}


def runbook_routes() -> tuple[web.RouteDef, ...]:
    """Return the route of each runbook. Names are compared and never made a path of a file."""
    texts = runbooks()

    async def show(request: web.Request) -> web.Response:
        text = texts.get(request.match_info["name"].removesuffix(".md"))
        if text is None:
            raise web.HTTPNotFound(text="There is no such runbook.\n")
        return web.Response(text=text, content_type="text/markdown", charset="utf-8")

    return (web.get(PATH + "/{name}", show),)
