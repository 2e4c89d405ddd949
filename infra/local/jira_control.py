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
        body = {"descriptorUrl": descriptor_url}
        answer = self.http.post(f"/sites/{name}/install", json=body)
        if answer.status_code == httpx.codes.BAD_GATEWAY:
            raise StackFailure(f"The app did not take the install: {answer.json()['calls']}")
        answer.raise_for_status()

    def entities(self, name: str, kind: str) -> list[dict[str, Any]]:
        """Every incident or review that the site has accepted."""
        return list(self._json("GET", f"/sites/{name}/entities?kind={kind}")["entities"])

    def calls(self) -> list[dict[str, Any]]:
        """The calls to Jira's REST API, oldest first."""
        return list(self._json("GET", "/calls")["calls"])

    def forget_calls(self) -> None:
        self._json("DELETE", "/calls")

    def set(self, **settings: Any) -> None:
        self._json("PUT", "/settings", settings)

    def _document(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return dict(self._json(method, path, body))

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        response = self.http.request(method, path, json=body).raise_for_status()
        return response.json() if response.content else None
