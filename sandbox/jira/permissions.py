"""What an account may do in a project, and the endpoint that tells it.

Read by the endpoint modules of `sandbox.jira` before they change anything. By default everybody who sees a project may
do everything in it; `JiraSite.deny` takes permissions away.
"""

from __future__ import annotations

from sandbox.jira.http import Call, Refusal, answer, bad_request, not_found
from sandbox.jira.model import Account, Project
from sandbox.jira.world import World
from sandbox.kit.site import SiteResponse

BROWSE, CREATE, EDIT, TRANSITION = "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "TRANSITION_ISSUES"
ADMINISTER, LINK = "ADMINISTER_PROJECTS", "LINK_ISSUES"
_KNOWN = {
    BROWSE: ("10", "Browse Projects"),
    CREATE: ("11", "Create Issues"),
    EDIT: ("12", "Edit Issues"),
    "ASSIGN_ISSUES": ("13", "Assign Issues"),
    "SCHEDULE_ISSUES": ("28", "Schedule Issues"),
    LINK: ("21", "Link Issues"),
    "MODIFY_REPORTER": ("30", "Modify Reporter"),
    TRANSITION: ("46", "Transition Issues"),
    "MANAGE_SPRINTS_PERMISSION": ("-1", "Manage Sprints"),
    ADMINISTER: ("23", "Administer Projects"),
}


def may(project: Project, account: Account | None, key: str) -> bool:
    """Tell whether an account has a permission in a project."""
    return (
        account is not None
        and account.account_id not in project.hidden_from
        and (account.account_id, key) not in project.denied
    )


def check_may(project: Project, account: Account | None, key: str) -> None:
    """Raise the 403 that Jira gives to an edit without the permission."""
    if not may(project, account, key):
        raise Refusal(403, "You do not have permission to edit issues in this project.")


def mypermissions(world: World, call: Call) -> SiteResponse:
    """GET mypermissions: `permissions` is required, and an unknown one refused."""
    wanted = call.words("permissions")
    if not wanted:
        raise bad_request("The 'permissions' query parameter is required.")
    if unknown := [key for key in wanted if key not in _KNOWN]:
        raise bad_request(f"Unrecognized permission(s): {', '.join(unknown)}")
    named = call.first("projectKey") or call.first("projectId")
    places = list(world.projects.values())
    if named is not None:
        found = world.visible_project(named, call.account)
        if found is None:
            raise not_found(f"No project could be found with key '{named}'.")
        places = [found]
    shown = {
        key: {
            "id": _KNOWN[key][0],
            "key": key,
            "name": _KNOWN[key][1],
            "type": "PROJECT",
            "description": f"Permission to: {_KNOWN[key][1]}.",
            "havePermission": any(may(each, call.account, key) for each in places),
        }
        for key in wanted
    }
    return answer(200, {"permissions": shown})
