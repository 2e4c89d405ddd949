"""Calls to one Jira site: the nine operations of `/rest/operations/1.0/*`, and those two of
`/rest/devopscomponents/1.0/*` that keep the components which incidents name."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from relay.entities.model import Kind
from relay.jira import operations
from relay.jira.answers import SubmitAnswer, strings_of, submit_answer
from relay.jira.errors import (
    AccessRefused,
    CredentialRefused,
    CutOff,
    JiraAnswered,
    JiraUnreachable,
    NothingThere,
    Unreadable,
)
from relay.jira.operations import Operation, answer_to
from relay.outbound.client import OutboundClient
from relay.outbound.network import Deadline

WORKSPACES_MAX = 100
# Jira takes 1000; so few are within any limit of bytes, whatever their descriptions.
COMPONENTS_MAX = 100

ItemT = TypeVar("ItemT")

_OPERATIONS = "/rest/operations/1.0"
_COMPONENTS = "/rest/devopscomponents/1.0"
_APPS = "/rest/atlassian-connect/1/addons"
_LINKED = f"{_OPERATIONS}/linkedWorkspaces"
_COLLECTIONS = {Kind.INCIDENT: "incidents", Kind.REVIEW: "post-incident-reviews"}
# For a whole call, under both identities. Jira answers a submission before it processes it.
DEADLINE_SECONDS = 25.0
# How httpx tells that the other side closed the connection.
_CUT_OFF = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
# Far more than a thousand rejected entities, or the longest list of workspaces.
_ANSWER_BYTES_MAX = 5_000_000


def http_client(seconds: float | None = None) -> OutboundClient:
    """One per Lambda: its connections serve all sites."""
    return OutboundClient(seconds or DEADLINE_SECONDS, _ANSWER_BYTES_MAX)


class JiraClient:
    """Every call raises JiraUnreachable without an answer, JiraAnswered on any but success.

    All that Jira takes, it processes later: a read shows nothing that is pending.
    """

    def __init__(
        self,
        http: OutboundClient,
        base_url: str,
        credential: httpx.Auth,
        otherwise: "FallbackIdentity | None" = None,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._credential = credential
        self._otherwise = otherwise
        self._turned = False

    def submit_entities(self, body: bytes) -> SubmitAnswer:
        """Submit incidents or reviews, at most 1000 of each; `body` is Jira's own JSON."""
        path = f"{_OPERATIONS}/bulk"
        return submit_answer(self._call(operations.SUBMIT_ENTITIES, path, content=body))

    def entity(self, kind: Kind, entity_id: str) -> dict[str, Any] | None:
        """What Jira holds of an entity; None where it holds nothing."""
        path = _entity_path(kind, entity_id)
        try:
            document: dict[str, Any] = self._call(operations.GET_ENTITY, path)
        except NothingThere:
            return None
        return document

    def delete_entity(self, kind: Kind, entity_id: str) -> None:
        """Deleting what is not there succeeds, too."""
        self._call(operations.DELETE, _entity_path(kind, entity_id))

    def delete_by_properties(self, properties: Mapping[str, str]) -> None:
        """Delete whatever has all of these properties, of every workspace of the site."""
        self._delete_by_properties(_OPERATIONS, properties)

    def submit_workspaces(self, workspace_ids: Sequence[str]) -> list[str]:
        """Link workspaces to the site; returns the accepted. Jira ignores those that are linked
        already, and may leave them out."""
        accepted: list[str] = []
        for chunk in _chunks(workspace_ids, WORKSPACES_MAX):
            body = json.dumps({"workspaceIds": list(chunk)}).encode()
            path = f"{_LINKED}/bulk"
            document = self._call(operations.SUBMIT_WORKSPACES, path, content=body)
            accepted += strings_of(document, "acceptedWorkspaceIds")
        return accepted

    def workspaces(self) -> list[str]:
        """Every workspace linked to the site."""
        return self._linked()

    def has_workspace(self, workspace_id: str) -> bool:
        return workspace_id in self._linked({"workspaceId": workspace_id})

    def _linked(self, params: Mapping[str, str] | None = None) -> list[str]:
        try:
            document = self._call(operations.GET_WORKSPACES, _LINKED, params=params)
        except NothingThere:
            return []
        return strings_of(document, "workspaceIds")

    def delete_workspaces(self, workspace_ids: Sequence[str]) -> None:
        """Unlink workspaces from the site; Jira deletes what it has of them, eventually."""
        for chunk in _chunks(workspace_ids, WORKSPACES_MAX):
            params = {"workspaceIds": ",".join(chunk)}
            self._call(operations.DELETE, f"{_LINKED}/bulk", params=params)

    def submit_components(
        self, components: Sequence[Mapping[str, Any]], properties: Mapping[str, str]
    ) -> SubmitAnswer:
        """Submit at most COMPONENTS_MAX DevOps components; what failed is named by its id."""
        document = {"devopsComponents": components, "properties": properties}
        body = json.dumps(document).encode()
        path = f"{_COMPONENTS}/bulk"
        return submit_answer(self._call(operations.SUBMIT_COMPONENTS, path, content=body))

    def delete_component(self, component_id: str) -> None:
        """Deleting what is not there succeeds, too."""
        self._call(operations.DELETE, f"{_COMPONENTS}/devopscomponents/{_segment(component_id)}")

    def delete_components_by_properties(self, properties: Mapping[str, str]) -> None:
        """As `delete_by_properties`, of DevOps components."""
        self._delete_by_properties(_COMPONENTS, properties)

    def _delete_by_properties(self, api: str, properties: Mapping[str, str]) -> None:
        if not properties:
            raise ValueError("Jira asks for one property at least")
        self._call(operations.DELETE, f"{api}/bulkByProperties", params=properties)

    def app_property(self, app_key: str, name: str) -> Any:
        """The value of a property that Jira keeps for the app; None where there is none."""
        path = f"{_APPS}/{_segment(app_key)}/properties/{_segment(name)}"
        try:
            return self._call(operations.GET_PROPERTY, path)["value"]
        except NothingThere:
            return None

    def _call(
        self,
        operation: Operation,
        path: str,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """As the one identity, and where Jira refuses that, as the other from then on."""
        deadline = Deadline(self._http.seconds)
        if self._otherwise and self._turned:
            return self._otherwise.client._call_once(deadline, operation, path, content, params)
        try:
            return self._call_once(deadline, operation, path, content, params)
        except (CredentialRefused, AccessRefused) as refused:
            if self._otherwise is None:
                raise
            try:
                document = self._otherwise.client._call_once(
                    deadline, operation, path, content, params
                )
            except (CredentialRefused, AccessRefused):
                raise refused from None
            except Unreadable:
                raise
            except JiraAnswered:
                # Whatever it was, the credential was taken.
                self._turn(self._otherwise, refused)
                raise
            self._turn(self._otherwise, refused)
            return document

    def _turn(self, otherwise: "FallbackIdentity", refused: JiraAnswered) -> None:
        self._turned = True
        otherwise.preferred(refused)

    def _call_once(
        self,
        deadline: Deadline,
        operation: Operation,
        path: str,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._http.request(
                operation.method,
                self._base_url + path,
                content=content,
                params=params,
                headers=headers,
                auth=self._credential,
                timeout=deadline,
            )
        except httpx.RequestError as error:
            failure = CutOff if isinstance(error, _CUT_OFF) else JiraUnreachable
            raise failure(f"Jira gave no answer: {type(error).__name__}") from error
        return answer_to(operation, response)


@dataclass(frozen=True, slots=True)
class FallbackIdentity:
    """The same site called as another identity, where Jira refuses the first (401, 403).

    `preferred` hears of the refusal once the other has been taken.
    """

    client: JiraClient
    preferred: Callable[[JiraAnswered], None]


def _entity_path(kind: Kind, entity_id: str) -> str:
    return f"{_OPERATIONS}/{_COLLECTIONS[kind]}/{_segment(entity_id)}"


def _segment(item_id: str) -> str:
    """An id as one segment of a path: "." and "..", too, which would lead to another path."""
    segment = quote(item_id, safe="")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment


def _chunks(items: Sequence[ItemT], size: int) -> list[Sequence[ItemT]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
