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
