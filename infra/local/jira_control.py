"""The Jira simulator's control endpoint: the part of a site's admin, and a look inside."""

from collections.abc import Mapping
from typing import Any, Self

import httpx

from infra.local.failure import StackFailure

TIMEOUT = httpx.Timeout(35, connect=5)


class JiraControl:
    """Every call raises httpx.HTTPStatusError unless it succeeds."""

    def __init__(self, jira: str) -> None:
        self.http = httpx.Client(base_url=f"{jira}/_control", timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def create_site(self, name: str) -> dict[str, Any]:
        """The site's document, with its clientKey, sharedSecret and baseUrl."""
        return self._document("POST", "/sites", {"name": name})

    def site(self, name: str) -> dict[str, Any]:
        return self._document("GET", f"/sites/{name}")

    def install(self, name: str, descriptor_url: str) -> None:
        """Installs the app as a site's admin would; StackFailure says what the app answered."""
        self._bring_in(f"/sites/{name}/install", {"descriptorUrl": descriptor_url})

    def install_by_forge(
        self, name: str, app_id: str, remote_url: str, connect: bool = False, **fields: Any
    ) -> None:
        """Installs the app as a Forge app, alone or with Connect's part, as `install` does."""
        body = {"appId": app_id, "remoteUrl": remote_url, "connect": connect, **fields}
        self._bring_in(f"/sites/{name}/forge/install", body)

    def upgrade_by_forge(self, name: str, **changes: Any) -> None:
        """To a new major version, with these changes."""
        self._bring_in(f"/sites/{name}/forge/upgrade", changes)

    def tick(self, name: str) -> None:
        """Forge's hourly trigger, which brings the app a new system token."""
        answer = self._document("POST", f"/sites/{name}/forge/tick", {})
        if not httpx.codes.is_success(answer["status"]):
            raise StackFailure(f"The app did not take the system token: {answer}")

    def call_action(self, name: str, action: str, body: Any) -> int:
        """Makes Jira's signed call of an action; returns the status of the app's answer."""
        asked = {"action": action, "body": body}
        return int(self._document("POST", f"/sites/{name}/call", asked)["status"])

    def fail(self, name: str, *faults: Mapping[str, Any]) -> None:
        """These faults and no others of the site's own; none ends them."""
        self._json("PUT", f"/sites/{name}/faults", {"faults": faults})

    def entities(self, name: str, kind: str) -> list[dict[str, Any]]:
        """Every incident or review that the site has accepted."""
        return list(self._json("GET", f"/sites/{name}/entities?kind={kind}")["entities"])

    def with_properties(self, name: str, kind: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """The same, each with the properties of its submission."""
        listed = self._json("GET", f"/sites/{name}/entities?kind={kind}")
        return [(one, listed["properties"][one["id"]]) for one in listed["entities"]]

    def calls(self) -> list[dict[str, Any]]:
        """The calls to Jira's REST API, oldest first."""
        return list(self._json("GET", "/calls")["calls"])

    def forget_calls(self) -> None:
        self._json("DELETE", "/calls")

    def set(self, **settings: Any) -> None:
        self._json("PUT", "/settings", settings)

    def _bring_in(self, path: str, body: Mapping[str, Any]) -> None:
        answer = self.http.post(path, json=body)
        if answer.status_code == httpx.codes.BAD_GATEWAY:
            raise StackFailure(f"The app did not take the install: {answer.json()['calls']}")
        answer.raise_for_status()

    def _document(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return dict(self._json(method, path, body))

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        response = self.http.request(method, path, json=body).raise_for_status()
        return response.json() if response.content else None
