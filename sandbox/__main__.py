"""`python -m sandbox`: the stand-ins of Jira and Craft.io as HTTP servers, on loopback unless told otherwise.

Prints one line of JSON with URLs and credentials when both answer, and stops cleanly on SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sandbox.craft.settings import ADA_KEY, BEN_KEY, SYNC_KEY, CraftKey, CraftSiteSettings, CraftWebhook
from sandbox.craft.site import CraftSite
from sandbox.jira.edition import CLOUD, data_center
from sandbox.jira.site import ADA_EMAIL, GRACE_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.controllable import ControllableSite
from sandbox.kit.server import SandboxServer, open_listener, url_of
from shared.domain.clock import SystemClock

JIRA_PEOPLE = {ADA_EMAIL: "ada-token", GRACE_EMAIL: "grace-token"}
JIRA_RETRY_HEADER = "X-Atlassian-Webhook-Retry"
OPTIONS_HELP = """JSON file {"jira": {"settings": {...}, "scene": {...}}, "craft": {the same}}; sandbox/jira/scene.py
and sandbox/craft/scene.py say what these hold. All of it can also be sent to the control surface later."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="listen here (default: %(default)s)")
    parser.add_argument("--name", metavar="HOST", help="what others call this host, in URLs (default: the address)")
    parser.add_argument("--jira-port", type=int, default=0, metavar="PORT", help="default: a free one")
    parser.add_argument("--craft-port", type=int, default=0, metavar="PORT", help="default: a free one")
    parser.add_argument("--seed", type=int, default=0, help="of ids, lags and faults")
    parser.add_argument(
        "--jira-edition",
        choices=("cloud", "data-center"),
        default="cloud",
        help="which Jira to stand in for (default: %(default)s)",
    )
    parser.add_argument(
        "--jira-version", default="9.12.15", metavar="X.Y.Z", help="version of a Data Center (default: %(default)s)"
    )
    parser.add_argument("--jira-email", default=SYNC_EMAIL, help="account of the sync (default: %(default)s)")
    parser.add_argument(
        "--jira-token", default=SYNC_TOKEN, help="its API token, or personal access token (default: %(default)s)"
    )
    parser.add_argument("--jira-project", default="TAN", metavar="KEY", help="project to seed (default: %(default)s)")
    parser.add_argument("--jira-webhook", metavar="URL", help="register an admin webhook to this address")
    parser.add_argument(
        "--jira-webhook-secret", metavar="SECRET", help="sign its deliveries (Data Center: from version 10)"
    )
    parser.add_argument("--craft-key", default=SYNC_KEY.key, metavar="KEY", help="API key of the sync")
    parser.add_argument("--craft-workspace", default="Roadmap", metavar="NAME", help="workspace to seed")
    parser.add_argument("--craft-webhook", metavar="URL", help="send the assumed webhook to this address")
    parser.add_argument("--craft-webhook-secret", metavar="SECRET", help="sign its deliveries")
    parser.add_argument("--craft-webhook-thin", action="store_true", help="send only ids")
    parser.add_argument(
        "--retry-wait",
        type=float,
        nargs=2,
        default=(1.0, 3.0),
        metavar=("FROM_S", "TO_S"),
        help="wait between attempts to deliver a webhook (default: 1 3; Jira's real one: 300 900)",
    )
    parser.add_argument("--options", type=Path, metavar="FILE", help=OPTIONS_HELP)
    return parser.parse_args()


def _options(path: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """Return what the option file says. Raises ValueError with words."""
    if path is None:
        return {}
    options = json.loads(path.read_text())
    if not isinstance(options, dict) or not set(options) <= {"jira", "craft"}:
        raise ValueError(f"{path}: an object with `jira` and `craft` is expected")
    for name, part in options.items():
        if not isinstance(part, dict) or not set(part) <= {"settings", "scene"}:
            raise ValueError(f"{path}: {name} takes `settings` and `scene`")
    return options


def _apply(site: ControllableSite, options: Mapping[str, Any]) -> None:
    """Set and seed a site. Raises ValueError with words."""
    if "settings" in options:
        site.apply_settings(options["settings"])
    if "scene" in options:
        site.seed_scene(options["scene"])


def _jira(arguments: argparse.Namespace, url: str, options: Mapping[str, Any]) -> JiraSite:
    edition = CLOUD if arguments.jira_edition == "cloud" else data_center(arguments.jira_version)
    site = JiraSite(now=SystemClock().now, base_url=url, seed=arguments.seed, edition=edition)
    if arguments.jira_email != SYNC_EMAIL:
        site.add_account(arguments.jira_email, "Tandem Sync", token=arguments.jira_token, admin=True)
    elif arguments.jira_token != SYNC_TOKEN:
        site.add_token(SYNC_EMAIL, arguments.jira_token)
    for email, token in JIRA_PEOPLE.items():
        site.add_token(email, token)
    site.seed_project(arguments.jira_project, "Tandem")
    _apply(site, options)
    if arguments.jira_webhook:
        site.register_webhook(arguments.jira_webhook, secret=arguments.jira_webhook_secret)
    return site


def _craft(arguments: argparse.Namespace, url: str, options: Mapping[str, Any]) -> CraftSite:
    webhook = None
    if arguments.craft_webhook:
        webhook = CraftWebhook(
            arguments.craft_webhook, arguments.craft_webhook_secret, thin=arguments.craft_webhook_thin
        )
    keys = (CraftKey(arguments.craft_key, SYNC_KEY.name), ADA_KEY, BEN_KEY)
    settings = CraftSiteSettings(keys=keys, webhook=webhook)
    site = CraftSite(now=SystemClock().now, base_url=url, seed=arguments.seed, settings=settings)
    site.seed_workspace(arguments.craft_workspace)
    _apply(site, options)
    return site


async def _serve(arguments: argparse.Namespace) -> None:
    options = _options(arguments.options)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    retry_wait_s = (arguments.retry_wait[0], arguments.retry_wait[1])
    async with AsyncExitStack() as stack:
        jira_listener = stack.enter_context(open_listener(arguments.jira_port, arguments.host))
        craft_listener = stack.enter_context(open_listener(arguments.craft_port, arguments.host))
        jira_site = _jira(arguments, url_of(jira_listener, arguments.name), options.get("jira", {}))
        craft_site = _craft(arguments, url_of(craft_listener, arguments.name), options.get("craft", {}))
        jira = await stack.enter_async_context(
            SandboxServer(
                jira_site,
                listener=jira_listener,
                name=arguments.name,
                seed=arguments.seed,
                retry_wait_s=retry_wait_s,
                retry_header=JIRA_RETRY_HEADER,
            )
        )
        craft = await stack.enter_async_context(
            SandboxServer(
                craft_site,
                listener=craft_listener,
                name=arguments.name,
                seed=arguments.seed,
                retry_wait_s=retry_wait_s,
            )
        )
        places = {
            "jira": {
                "url": jira.url,
                "edition": arguments.jira_edition,
                "email": arguments.jira_email,
                "token": arguments.jira_token,
                "project": arguments.jira_project,
                "control": jira.control,
                "people": [{"email": email, "token": token} for email, token in JIRA_PEOPLE.items()],
            },
            "craft": {
                "url": craft.url,
                "api_key": arguments.craft_key,
                "workspace_id": craft_site.workspace().id,
                "control": craft.control,
                "people": [{"api_key": key.key, "name": key.name} for key in (ADA_KEY, BEN_KEY)],
            },
        }
        print(json.dumps(places), flush=True)
        await stop.wait()


def main() -> int:
    """Run until told to stop; return the exit code."""
    try:
        asyncio.run(_serve(_arguments()))
    except (ValueError, OSError) as error:
        print(f"python -m sandbox: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
