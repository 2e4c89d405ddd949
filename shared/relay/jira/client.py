"""Calls to `/rest/operations/1.0/*` of one Jira site."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from relay.jira.answers import SubmitAnswer, json_of, messages_of, submit_answer
from relay.jira.errors import JiraAnswered, JiraUnreachable, RequestRefused, RequestTooLarge

WORKSPACES_MAX = 100

_ROOT = "/rest/operations/1.0"
_ERRORS: dict[int, type[JiraAnswered]] = {400: RequestRefused, 413: RequestTooLarge}
# Seconds. Jira answers a submission before it processes it.
_TIMEOUT = httpx.Timeout(20, connect=5)


def http_client() -> httpx.Client:
    """One per Lambda: its connections serve all sites. A redirect is never followed."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False)


class JiraClient:
    """Every call raises JiraUnreachable without an answer, JiraAnswered on any but success."""

    def __init__(self, http: httpx.Client, base_url: str, credential: httpx.Auth) -> None:
        self._http = http
        self._root = base_url + _ROOT
        self._credential = credential

    def submit_entities(self, body: bytes) -> SubmitAnswer:
        """Submit incidents or reviews, at most 1000 of each; `body` is Jira's own JSON."""
        return submit_answer(self._call("POST", "/bulk", content=body))

    def submit_workspaces(self, workspace_ids: Sequence[str]) -> None:
        """Link workspaces to the site; those linked already are left as they are."""
        for chunk in _chunks(workspace_ids):
            body = json.dumps({"workspaceIds": list(chunk)}).encode()
            self._call("POST", "/linkedWorkspaces/bulk", content=body)

    def delete_workspaces(self, workspace_ids: Sequence[str]) -> None:
        """Unlink workspaces from the site; Jira deletes what it has of them, eventually."""
        for chunk in _chunks(workspace_ids):
            self._call("DELETE", "/linkedWorkspaces/bulk", params={"workspaceIds": ",".join(chunk)})

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._http.request(
                method,
                self._root + path,
                content=content,
                params=params,
                headers=headers,
                auth=self._credential,
            )
        except httpx.RequestError as error:
            raise JiraUnreachable(f"Jira gave no answer: {type(error).__name__}") from error
        if response.is_success:
            return response
        raise _ERRORS.get(response.status_code, JiraAnswered)(
            response.status_code, messages_of(json_of(response))
        )


def _chunks(workspace_ids: Sequence[str]) -> list[Any]:
    return [
        workspace_ids[start : start + WORKSPACES_MAX]
        for start in range(0, len(workspace_ids), WORKSPACES_MAX)
    ]
