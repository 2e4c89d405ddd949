"""Calls to one Jira site: the nine operations of `/rest/operations/1.0/*`, and those two of
`/rest/devopscomponents/1.0/*` that keep the components which incidents name."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from relay.entities import Kind
from relay.jira.answers import SubmitAnswer, json_of, messages_of, strings_of, submit_answer
from relay.jira.errors import (
    AccessRefused,
    CredentialRefused,
    JiraAnswered,
    JiraUnreachable,
    NothingThere,
    RateLimit,
    error_type,
)

WORKSPACES_MAX = 100
# Jira takes 1000; so few are within any limit of bytes, whatever their descriptions.
COMPONENTS_MAX = 100

ItemT = TypeVar("ItemT")

_OPERATIONS = "/rest/operations/1.0"
_COMPONENTS = "/rest/devopscomponents/1.0"
_APPS = "/rest/atlassian-connect/1/addons"
_LINKED = f"{_OPERATIONS}/linkedWorkspaces"
_COLLECTIONS = {Kind.INCIDENT: "incidents", Kind.REVIEW: "post-incident-reviews"}
# Seconds. Jira answers a submission before it processes it.
_TIMEOUT = httpx.Timeout(20, connect=5)


def http_client() -> httpx.Client:
    """One per Lambda: its connections serve all sites. A redirect is never followed."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False)


class JiraClient:
    """Every call raises JiraUnreachable without an answer, JiraAnswered on any but success.

    All that Jira takes, it processes later: a read shows nothing that is pending.
    """

    def __init__(
        self,
        http: httpx.Client,
        base_url: str,
        credential: httpx.Auth,
        otherwise: "Otherwise | None" = None,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._credential = credential
        self._otherwise = otherwise
        self._turned = False

    def submit_entities(self, body: bytes) -> SubmitAnswer:
        """Submit incidents or reviews, at most 1000 of each; `body` is Jira's own JSON.

        A success without a JSON object is Unreadable: some gateway may have spoken for Jira.
        """
        response = self._call("POST", f"{_OPERATIONS}/bulk", content=body)
        if not isinstance(json_of(response), dict):
            raise _error(response)
        return submit_answer(response)

    def entity(self, kind: Kind, entity_id: str) -> dict[str, Any] | None:
        """What Jira holds of an entity; None where it holds nothing."""
        try:
            document = json_of(self._call("GET", _entity_path(kind, entity_id)))
        except NothingThere:
            return None
        return document if isinstance(document, dict) else {}

    def delete_entity(self, kind: Kind, entity_id: str) -> None:
        """Deleting what is not there succeeds, too."""
        self._call("DELETE", _entity_path(kind, entity_id))

    def delete_by_properties(self, properties: Mapping[str, str]) -> None:
        """Delete whatever has all of these properties, of every workspace of the site."""
        if not properties:
            raise ValueError("Jira asks for one property at least")
        self._call("DELETE", f"{_OPERATIONS}/bulkByProperties", params=properties)

    def submit_workspaces(self, workspace_ids: Sequence[str]) -> list[str]:
        """Link workspaces to the site, those linked already being left; returns the accepted."""
        accepted: list[str] = []
        for chunk in _chunks(workspace_ids, WORKSPACES_MAX):
            body = json.dumps({"workspaceIds": list(chunk)}).encode()
            document = json_of(self._call("POST", f"{_LINKED}/bulk", content=body))
            accepted += strings_of(document, "acceptedWorkspaceIds")
        return accepted

    def workspaces(self) -> list[str]:
        """Every workspace linked to the site."""
        try:
            document = json_of(self._call("GET", _LINKED))
        except NothingThere:
            return []
        return strings_of(document, "workspaceIds")

    def has_workspace(self, workspace_id: str) -> bool:
        try:
            self._call("GET", _LINKED, params={"workspaceId": workspace_id})
        except NothingThere:
            return False
        return True

    def delete_workspaces(self, workspace_ids: Sequence[str]) -> None:
        """Unlink workspaces from the site; Jira deletes what it has of them, eventually."""
        for chunk in _chunks(workspace_ids, WORKSPACES_MAX):
            params = {"workspaceIds": ",".join(chunk)}
            self._call("DELETE", f"{_LINKED}/bulk", params=params)

    def submit_components(self, components: Sequence[Mapping[str, Any]]) -> SubmitAnswer:
        """Submit DevOps components, in requests of 100; what failed is named by its id."""
        accepted: set[str] = set()
        failed: dict[str, tuple[str, ...]] = {}
        for chunk in _chunks(components, COMPONENTS_MAX):
            body = json.dumps({"devopsComponents": chunk}).encode()
            answer = submit_answer(self._call("POST", f"{_COMPONENTS}/bulk", content=body))
            accepted |= answer.accepted
            failed |= answer.failed
        return SubmitAnswer(frozenset(accepted), failed, ())

    def delete_component(self, component_id: str) -> None:
        """Deleting what is not there succeeds, too."""
        self._call("DELETE", f"{_COMPONENTS}/devopscomponents/{_segment(component_id)}")

    def app_property(self, app_key: str, name: str) -> Any:
        """The value of a property that Jira keeps for the app; None where there is none."""
        path = f"{_APPS}/{_segment(app_key)}/properties/{_segment(name)}"
        try:
            document = json_of(self._call("GET", path))
        except NothingThere:
            return None
        return document.get("value") if isinstance(document, dict) else None

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """As the one identity, and where Jira refuses that, as the other from then on."""
        if self._otherwise and self._turned:
            return self._otherwise.client._call_once(method, path, content, params)
        try:
            return self._call_once(method, path, content, params)
        except (CredentialRefused, AccessRefused) as refused:
            if self._otherwise is None:
                raise
            try:
                response = self._otherwise.client._call_once(method, path, content, params)
            except (CredentialRefused, AccessRefused):
                raise refused from None
            except JiraAnswered:
                # Whatever it was, the credential was taken.
                self._turn(self._otherwise, refused)
                raise
            self._turn(self._otherwise, refused)
            return response

    def _turn(self, otherwise: "Otherwise", refused: JiraAnswered) -> None:
        self._turned = True
        otherwise.preferred(refused)

    def _call_once(
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
                self._base_url + path,
                content=content,
                params=params,
                headers=headers,
                auth=self._credential,
            )
        except httpx.RequestError as error:
            raise JiraUnreachable(f"Jira gave no answer: {type(error).__name__}") from error
        if response.is_success:
            return response
        raise _error(response)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The same site called as another identity, where Jira refuses the first (401, 403).

    `preferred` hears of the refusal once the other has been taken.
    """

    client: JiraClient
    preferred: Callable[[JiraAnswered], None]


def _error(response: httpx.Response) -> JiraAnswered:
    messages = messages_of(json_of(response))
    status = response.status_code
    rate_limit = RateLimit.of(response.headers)
    return error_type(status)(status, messages, rate_limit, _origin_of(response))


def _origin_of(response: httpx.Response) -> str:
    """Where a redirect points to, without a path or a query, which may repeat what was sent."""
    if not response.has_redirect_location:
        return ""
    try:
        place = response.url.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        return ""
    return f"{place.scheme}://{place.netloc.decode('ascii')}"


def _entity_path(kind: Kind, entity_id: str) -> str:
    return f"{_OPERATIONS}/{_COLLECTIONS[kind]}/{_segment(entity_id)}"


def _segment(item_id: str) -> str:
    """An id as one segment of a path: "." and "..", too, which would lead to another path."""
    segment = quote(item_id, safe="")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment


def _chunks(items: Sequence[ItemT], size: int) -> list[Sequence[ItemT]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
