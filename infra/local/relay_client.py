"""Relay's API as the operations tool calls it."""

import time
from collections.abc import Mapping
from typing import Any, Self

import httpx

# API Gateway gives up after 30 seconds.
TIMEOUT = httpx.Timeout(35, connect=5)
ATTEMPTS = 3


class RelayClient:
    """Every call raises httpx.HTTPStatusError on any status but the one it expects."""

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
        self.http.put(f"/v1/workspaces/{workspace_id}", json=document).raise_for_status()

    def sites(self) -> list[dict[str, Any]]:
        answer = self.http.get("/v1/sites").raise_for_status().json()
        found: list[dict[str, Any]] = answer["sites"]
        return found

    def link(self, site: str, workspace_id: str) -> None:
        self.http.put(f"/v1/sites/{site}/workspaces/{workspace_id}").raise_for_status()

    def submit(self, workspace_id: str, body: bytes) -> dict[str, Any]:
        """Submits, again where Relay can't take it now: repeating a submission changes nothing."""
        for attempt in range(1, ATTEMPTS + 1):
            response = self.post_submission(workspace_id, body)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or attempt == ATTEMPTS:
                break
            time.sleep(attempt)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer

    def post_submission(self, workspace_id: str, body: bytes, **headers: str) -> httpx.Response:
        """One attempt, whatever the answer; `content_encoding="gzip"` makes a header."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(
            f"/v1/workspaces/{workspace_id}/submissions",
            content=body,
            headers={"Content-Type": "application/json"} | given,
        )
