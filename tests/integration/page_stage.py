"""The page inside Jira, called as its script calls it: with a context token of an admin."""

import time
from dataclasses import dataclass
from typing import Any

from tests.integration.relay_stage import JSON, JiraSite, Relay
from tests.support.lambdas import Answer
from tests.support.lifecycle import Site
from tests.support.tokens import signed_callback

ADMIN = "5b10ac8d82e05b22cc7d4ef5"
MEMBER = "557058:0f5b1c9e-0000-4000-8000-0d1a3c5e7b90"


def context_token(site: Site, account: str | None = ADMIN, **others: Any) -> str:
    """The token of `AP.context.getToken()`; a claim given as None is omitted."""
    now = int(time.time())
    standard = {
        "iss": site.client_key,
        "sub": account,
        "qsh": "context-qsh",
        "iat": now,
        "exp": now + 900,
    }
    claims = {name: value for name, value in (standard | others).items() if value is not None}
    return signed_callback(site.secret, claims)


@dataclass(frozen=True)
class Page:
    """The page at one site, as one of its users sees it."""

    relay: Relay
    site: JiraSite
    account: str = ADMIN

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """`path` is below `/page`."""
        token = token or context_token(self.site.site, self.account)
        headers = {"authorization": f"JWT {token}"} | JSON
        return self.relay.call(method, f"/page{path}", body, headers)

    def shown(self) -> Any:
        """All that the page shows at first."""
        answer = self.call("GET", "/site")
        assert answer.status == 200, answer.body
        return answer.json()

    def workspace(self, workspace: str = "payments") -> Any:
        """What it shows of a linked workspace."""
        [found] = [one for one in self.shown()["workspaces"] if one["id"] == workspace]
        return found

    def entities(self, query: str, workspace: str = "payments") -> Any:
        answer = self.call("GET", f"/workspaces/{workspace}/entities?{query}")
        assert answer.status == 200, answer.body
        return answer.json()


def put_user(site: JiraSite, account: str, admin: bool) -> None:
    """Make the account a user of the site, or change what it may do."""
    path = f"/sites/{site.name}/users/{account}"
    site.simulator.control("PUT", path, {"admin": admin}).raise_for_status()


def page_at(relay: Relay, site: JiraSite) -> Page:
    """The page at a site with an admin and another user."""
    put_user(site, ADMIN, admin=True)
    put_user(site, MEMBER, admin=False)
    return Page(relay, site)


def refuse(page: Page, pattern: str, message: str = "No such service") -> None:
    """Let Jira refuse the entities whose ids match."""
    fault = {"kind": "refuse entity", "pattern": pattern, "message": message}
    page.site.simulator.fail(page.site.name, fault)


def error(page: Page, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """The status and the error code of a refused call."""
    answer = page.call(method, path, body)
    return answer.status, answer.error_code
