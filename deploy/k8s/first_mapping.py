"""The mapping with which a try on a cluster begins: between the stand-ins of `components/stand-ins`, as a file for
`tandem apply`.

The stand-ins number what they make from the same start each time, so that its ids are known before they run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from deploy.local import scene
from sandbox.craft.settings import ADA_KEY, BEN_KEY, SYNC_KEY, CraftSiteSettings
from sandbox.craft.site import CraftSite
from sandbox.jira.site import SYNC_EMAIL
from shared.as_code.workspace import file_data
from shared.as_code.yaml_text import write_yaml
from shared.domain.mapping import Direction

JIRA_URL: Final = "http://stand-ins:8081"
CRAFT_URL: Final = "http://stand-ins:8082"
PROJECT: Final = "TAN"
OPTIONS: Final[dict[str, Any]] = {
    "craft": {"scene": {"items": [{"ref": "root", "type": "product", "title": "Tandem"}]}}
}
"""What the stand-ins begin with: the product below which everything goes."""
_HEADING: Final = """\
Connections to the stand-ins of Jira and Craft.io, and a mapping between them: docs/kubernetes.md says how to apply it.
Made from the code by `python -m deploy.k8s.generate`; not to be edited."""


def first_mapping() -> str:
    """Return the text of the file."""
    craft = CraftSite(
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        base_url=CRAFT_URL,
        seed=0,
        settings=CraftSiteSettings(keys=(SYNC_KEY, ADA_KEY, BEN_KEY)),
    )
    craft.seed_workspace("Roadmap")
    craft.seed_scene(OPTIONS["craft"]["scene"])
    state: Any = craft.state()
    integration = scene.integration(
        project=PROJECT,
        workspace=state["workspaces"][0],
        craft_root=state["items"][0]["id"],
        status=Direction.BOTH,
    )
    connections: dict[str, dict[str, str]] = {
        scene.JIRA: {"kind": "jira_cloud", "name": "Jira (stand-in)", "url": JIRA_URL, "email": SYNC_EMAIL},
        scene.CRAFT: {"kind": "craft", "name": "Craft.io (stand-in)", "url": CRAFT_URL},
    }
    bodies = {ident: {"id": ident, **body} for ident, body in connections.items()}
    data = file_data(bodies, {integration.id: integration.model_dump(mode="json")})
    data["connections"][scene.JIRA]["secrets"] = {
        "token": {"env": "JIRA_TOKEN"},
        "webhook_secrets": [{"env": "JIRA_WEBHOOK_SECRET"}],
    }
    data["connections"][scene.CRAFT]["secrets"] = {"token": {"env": "CRAFT_KEY"}}
    return write_yaml(data, _HEADING)
