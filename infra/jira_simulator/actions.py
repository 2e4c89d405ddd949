"""Jira's calls of the actions in the app's modules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .app_calls import AppAnswer, AppCall, call_app
from .descriptor import COMPONENTS_MODULE, OPERATIONS_MODULE
from .refusal import Refusal
from .sites import Site
from .tokens import secret_signer


@dataclass(frozen=True)
class _Action:
    """An action's HTTP method, its module, and the descriptor's field with its URL."""

    method: str
    field: str = "templateUrl"
    module: str = OPERATIONS_MODULE


ACTIONS = {
    "fetchWorkspaces": _Action("POST"),
    "searchContainers": _Action("GET"),
    "onEntityAssociated": _Action("PUT"),
    "onEntityDisassociated": _Action("PUT"),
    "createPostIncidentReview": _Action("POST", "url"),
    "associate": _Action("POST", module=COMPONENTS_MODULE),
    "disassociate": _Action("POST", module=COMPONENTS_MODULE),
}


async def call_action(site: Site, name: str, body: Any, query: Mapping[str, str]) -> AppAnswer:
    """Call one action, signed with the shared secret.

    A `{placeholder}` in its URL is replaced by the query's value of that name; the rest of the
    query is appended. Raises a Refusal: 400 for an action that Jira or the descriptor does not
    have, 409 without an app.
    """
    app = site.installed_app()
    if name not in ACTIONS:
        raise Refusal(400, f"Jira has no action {name}. Its actions are {', '.join(ACTIONS)}.")
    action = ACTIONS[name]
    named = app.modules.get(action.module, {}).get("actions", {}).get(name)
    if named is None:
        raise Refusal(400, f"The module {action.module} of {app.key} has no action {name}.")
    url, rest = _fill(app.url(named[action.field]), query)
    call = AppCall(name, action.method, url, app.base_url, body, rest)
    return await call_app(call, secret_signer(site.shared_secret, site.client_key))


def _fill(template: str, query: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    rest = dict(query)

    def value(match: re.Match[str]) -> str:
        return quote(rest.pop(match[1], ""), safe="")

    return re.sub(r"\{([^{}]+)\}", value, template), rest
