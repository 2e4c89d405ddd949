"""The Jira simulator's control endpoint: a site admin's actions, and the simulator's state."""

from collections.abc import Mapping
from typing import Any, Self

import httpx

from infra.local.failure import StackFailure

TIMEOUT = httpx.Timeout(35, connect=5)


class JiraControl:
    """A client of the control endpoint. A failed call raises httpx.HTTPStatusError."""

    def __init__(self, jira: str) -> None:
        self.http = httpx.Client(base_url=f"{jira}/_control", timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def create_site(self, name: str) -> dict[str, Any]:
        """Creates a site. Returns its document, with clientKey, sharedSecret and baseUrl."""
        return self._document("POST", "/sites", {"name": name})

    def site(self, name: str) -> dict[str, Any]:
        """A site's document."""
        return self._document("GET", f"/sites/{name}")

    def install(self, name: str, descriptor_url: str) -> None:
        """Installs the app as a site's admin does. Raises StackFailure with the app's answer."""
        self._install(f"/sites/{name}/install", {"descriptorUrl": descriptor_url})

    def install_by_forge(
        self, name: str, app_id: str, remote_url: str, connect: bool = False, **fields: Any
    ) -> None:
        """Installs the app as a Forge app, with Connect's modules if `connect`. Raises like
        `install`."""
        body = {"appId": app_id, "remoteUrl": remote_url, "connect": connect, **fields}
        self._install(f"/sites/{name}/forge/install", body)

    def upgrade_by_forge(self, name: str, **changes: Any) -> None:
        """Upgrades the Forge app to a new major version, with these changes."""
        self._install(f"/sites/{name}/forge/upgrade", changes)

    def tick(self, name: str) -> None:
        """Fires Forge's hourly trigger, which delivers a new system token to the app."""
        answer = self._document("POST", f"/sites/{name}/forge/tick", {})
        if not httpx.codes.is_success(answer["status"]):
            raise StackFailure(f"The app did not accept the system token: {answer}")

    def call_action(self, name: str, action: str, body: Any) -> int:
        """Makes Jira's signed call of an action. Returns the HTTP status of the app's answer."""
        call = {"action": action, "body": body}
        return int(self._document("POST", f"/sites/{name}/call", call)["status"])

    def visit(self, name: str, **changes: str) -> None:
        """Changes what a visit of the site's admin area is like: `theme`, `tokens`."""
        self._json("PUT", f"/sites/{name}/admin", changes)

    def fail(self, name: str, *faults: Mapping[str, Any]) -> None:
        """Replaces the site's faults; without any, it is healthy again."""
        self._json("PUT", f"/sites/{name}/faults", {"faults": faults})

    def entities(self, name: str, kind: str) -> list[dict[str, Any]]:
        """The incidents or reviews that the site has accepted, by kind."""
        return list(self._json("GET", f"/sites/{name}/entities?kind={kind}")["entities"])

    def with_properties(self, name: str, kind: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """Like `entities`, each with the properties of its submission."""
        listed = self._json("GET", f"/sites/{name}/entities?kind={kind}")
        return [(one, listed["properties"][one["id"]]) for one in listed["entities"]]

    def calls(self) -> list[dict[str, Any]]:
        """The calls to Jira's REST API, oldest first."""
        return list(self._json("GET", "/calls")["calls"])

    def forget_calls(self) -> None:
        """Clears the list of calls."""
        self._json("DELETE", "/calls")

    def set(self, **settings: Any) -> None:
        """Changes settings of the simulator, for all sites."""
        self._json("PUT", "/settings", settings)

    def _install(self, path: str, body: Mapping[str, Any]) -> None:
        answer = self.http.post(path, json=body)
        if answer.status_code == httpx.codes.BAD_GATEWAY:
            raise StackFailure(f"The app did not accept the install: {answer.json()['calls']}")
        answer.raise_for_status()

    def _document(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return dict(self._json(method, path, body))

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        response = self.http.request(method, path, json=body).raise_for_status()
        return response.json() if response.content else None
