"""A client of Relay's API, as an operations tool has one."""

import time
from collections.abc import Mapping
from typing import Any, Self

import httpx

# API Gateway gives up after 30 seconds.
TIMEOUT = httpx.Timeout(35, connect=5)
ATTEMPTS = 3


class RelayClient:
    """Calls with an API key. A call that fails raises httpx.HTTPStatusError."""

    def __init__(self, api: str, api_key: str) -> None:
        self.http = httpx.Client(
            base_url=api,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def put_workspace(self, workspace_id: str, document: Mapping[str, Any]) -> None:
        """Creates or updates a workspace."""
        self.http.put(f"/v1/workspaces/{workspace_id}", json=document).raise_for_status()

    def sites(self) -> list[dict[str, Any]]:
        """The sites on the first page."""
        answer = self.http.get("/v1/sites").raise_for_status().json()
        found: list[dict[str, Any]] = answer["sites"]
        return found

    def link(self, site: str, workspace_id: str) -> None:
        """Links a workspace to a site, by Relay's id of the site."""
        self.http.put(f"/v1/sites/{site}/workspaces/{workspace_id}").raise_for_status()

    def offer(self, site: str, workspace_id: str) -> None:
        """Offers a workspace to a site, whose admin can then link it."""
        self.http.put(f"/v1/sites/{site}/offers/{workspace_id}").raise_for_status()

    def source_kind(self, kind: str) -> dict[str, Any]:
        """What Relay says of a kind of source."""
        [found] = [one for one in self._get("/v1/source-kinds")["kinds"] if one["kind"] == kind]
        return dict(found)

    def put_source(
        self, workspace_id: str, source_id: str, document: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Creates or updates a source; the answer has its `url` if it is new."""
        path = f"/v1/workspaces/{workspace_id}/sources/{source_id}"
        answer: dict[str, Any] = self.http.put(path, json=document).raise_for_status().json()
        return answer

    def preview(self, workspace_id: str, source_id: str, body: bytes) -> dict[str, Any]:
        """What Jira would get of a payload, as JSON, of the source's tool."""
        path = f"/v1/workspaces/{workspace_id}/sources/{source_id}/preview"
        headers = {"Content-Type": "application/json"}
        answer: dict[str, Any] = (
            self.http.post(path, content=body, headers=headers).raise_for_status().json()
        )
        return answer

    def deliveries(self, workspace_id: str, source_id: str) -> list[dict[str, Any]]:
        """The deliveries of a source, newest first."""
        path = f"/v1/workspaces/{workspace_id}/sources/{source_id}/deliveries"
        return self._all(path, "deliveries")

    def containers(self, workspace_id: str) -> list[dict[str, Any]]:
        """The containers of a workspace."""
        return self._all(f"/v1/workspaces/{workspace_id}/containers", "containers")

    def submit(self, workspace_id: str, body: bytes) -> dict[str, Any]:
        """Submits a JSON body, and returns the verdicts. Retries a 503: repeating is safe."""
        for attempt in range(1, ATTEMPTS + 1):
            response = self.post_submission(workspace_id, body)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or attempt == ATTEMPTS:
                break
            time.sleep(attempt)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer

    def post_submission(self, workspace_id: str, body: bytes, **headers: str) -> httpx.Response:
        """One attempt; returns any answer. `content_encoding="gzip"` becomes a header."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(
            f"/v1/workspaces/{workspace_id}/submissions",
            content=body,
            headers={"Content-Type": "application/json"} | given,
        )

    def _all(self, path: str, name: str) -> list[dict[str, Any]]:
        """The members of all pages of a list."""
        page = self._get(path)
        found: list[dict[str, Any]] = page[name]
        while "next" in page:
            page = self._get(path, after=page["next"])
            found += page[name]
        return found

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get(path, params=query).raise_for_status().json()
        return answer
