"""What a new stack needs for its first delivery: a key, a site, a workspace, a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from infra.local.deploy import FORGE_APP_ID
from infra.local.failure import StackFailure
from infra.local.jira_control import JiraControl
from infra.local.native_page import native_page
from infra.local.relay_client import RelayClient
from infra.local.stack import Stack
from relay.identity.api_keys import ApiKeys

SITE_NAME = "first"
WORKSPACE_ID = "operations"
WORKSPACE = {"name": "Operations", "url": "https://operations.example/workspaces/operations"}


@dataclass(frozen=True)
class Tenancy:
    """One workspace linked to one site. `site` is the simulator's document of the site."""

    api_key: str
    site: dict[str, Any]
    site_id: str
    workspace_id: str

    @property
    def site_name(self) -> str:
        """The simulator's name of the site."""
        return str(self.site["name"])

    @property
    def page(self) -> str:
        """The URL of the site's incidents page."""
        return str(self.site["baseUrl"])

    @property
    def is_by_forge(self) -> bool:
        """Whether the app is installed by Forge only."""
        return bool(self.site["forge"]) and not self.site["app"]


def set_up(
    stack: Stack,
    site_name: str = SITE_NAME,
    workspace_id: str = WORKSPACE_ID,
    by_forge: bool = False,
    is_linked: bool = True,
) -> Tenancy:
    """Makes an API key, installs the app in a new site, and links a workspace to it.

    A workspace that is not to be linked is offered to the site. Raises StackFailure with the answer
    of a call that failed.
    """
    api_key = ApiKeys(stack.aws.dynamodb, stack.deployment.outputs["ApiKeysTable"]).issue()
    try:
        with JiraControl(stack.jira.url) as jira, RelayClient(stack.api, api_key) as relay:
            site = jira.create_site(site_name)
            if by_forge:
                page = native_page(stack.folder)
                jira.install_by_forge(site_name, FORGE_APP_ID, stack.api, adminPage=page)
                jira.tick(site_name)
            else:
                jira.install(site_name, f"{stack.api}/atlassian-connect.json")
            relay.put_workspace(workspace_id, WORKSPACE)
            site_id = _site_id(relay, site)
            (relay.link if is_linked else relay.offer)(site_id, workspace_id)
            return Tenancy(api_key, jira.site(site_name), site_id, workspace_id)
    except httpx.HTTPStatusError as error:
        request, answer = error.request, error.response
        raise StackFailure(
            f"{request.method} {request.url} was answered {answer.status_code}:\n{answer.text}"
        ) from error


def _site_id(relay: RelayClient, site: Mapping[str, Any]) -> str:
    """Relay's id of the site, found by its clientKey or cloudId."""
    for listed in relay.sites():
        if any(listed.get(name) == site[name] for name in ("clientKey", "cloudId")):
            return str(listed["id"])
    raise StackFailure("Relay does not list the site that has just installed the app.")
