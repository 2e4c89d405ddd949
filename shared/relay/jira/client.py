"""Calls to one Jira site: the nine operations of `/rest/operations/1.0/*`, the operations of
`/rest/devopscomponents/1.0/*` for the components that incidents affect, and two of Jira's own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from relay.entities.model import Kind
from relay.jira import operations
from relay.jira.answers import SubmitAnswer, strings_of, submit_answer
from relay.jira.deadline import DEADLINE_SECONDS
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
# Jira accepts 1000, but a hundred stay below any limit of bytes, whatever their descriptions.
COMPONENTS_MAX = 100

ItemT = TypeVar("ItemT")

_OPERATIONS = "/rest/operations/1.0"
_COMPONENTS = "/rest/devopscomponents/1.0"
_APPS = "/rest/atlassian-connect/1/addons"
_PERMISSIONS = "/rest/api/3/permissions/check"
_ADMINISTER = "ADMINISTER"
_LINKED = f"{_OPERATIONS}/linkedWorkspaces"
_COLLECTIONS = {Kind.INCIDENT: "incidents", Kind.REVIEW: "post-incident-reviews"}
# What httpx raises when the peer closes the connection.
_CUT_OFF = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
# Far above the answer to a thousand rejected entities, or the longest list of workspaces.
_ANSWER_BYTES_MAX = 5_000_000


def http_client(seconds: float | None = None) -> OutboundClient:
    """A client whose connections serve all sites: one per Lambda.

    `seconds` is the deadline of a whole call, DEADLINE_SECONDS by default.
    """
    return OutboundClient(seconds or DEADLINE_SECONDS, _ANSWER_BYTES_MAX)


class JiraClient:
    """The operations API of one site.

    Every call raises JiraUnreachable if Jira does not answer, and JiraAnswered if the answer is not
    a success. Jira processes what it accepts later, so a read does not show pending changes.
    """

    def __init__(
        self,
        http: OutboundClient,
        base_url: str,
        credential: httpx.Auth,
        fallback: "FallbackIdentity | None" = None,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._credential = credential
        self._fallback = fallback
        self._uses_fallback = False

    def submit_entities(self, body: bytes) -> SubmitAnswer:
        """Submit incidents or reviews, at most 1000 of each. `body` is the JSON that Jira
        documents."""
        path = f"{_OPERATIONS}/bulk"
        return submit_answer(self._call(operations.SUBMIT_ENTITIES, path, content=body))

    def entity(self, kind: Kind, entity_id: str) -> dict[str, Any] | None:
        """The entity in Jira's JSON; None if Jira does not have it."""
        path = _entity_path(kind, entity_id)
        try:
            document: dict[str, Any] = self._call(operations.GET_ENTITY, path)
        except NothingThere:
            return None
        return document

    def delete_entity(self, kind: Kind, entity_id: str) -> None:
        """Delete an entity. Jira also accepts ids that it does not have."""
        self._call(operations.DELETE, _entity_path(kind, entity_id))

    def delete_by_properties(self, properties: Mapping[str, str]) -> None:
        """Delete every entity of the site that has all of these properties, in any workspace.

        Raises ValueError without properties.
        """
        self._delete_by_properties(_OPERATIONS, properties)

    def submit_workspaces(self, workspace_ids: Sequence[str]) -> list[str]:
        """Link workspaces to the site; returns the ids that Jira accepted, which may lack those
        that were already linked."""
        accepted: list[str] = []
        for chunk in _chunks(workspace_ids, WORKSPACES_MAX):
            body = json.dumps({"workspaceIds": list(chunk)}).encode()
            path = f"{_LINKED}/bulk"
            document = self._call(operations.SUBMIT_WORKSPACES, path, content=body)
            accepted += strings_of(document, "acceptedWorkspaceIds")
        return accepted

    def workspaces(self) -> list[str]:
        """The ids of all workspaces linked to the site."""
        return self._linked()

    def has_workspace(self, workspace_id: str) -> bool:
        """Whether Jira lists the workspace as linked to the site."""
        return workspace_id in self._linked({"workspaceId": workspace_id})

    def _linked(self, params: Mapping[str, str] | None = None) -> list[str]:
        try:
            document = self._call(operations.GET_WORKSPACES, _LINKED, params=params)
        except NothingThere:
            return []
        return strings_of(document, "workspaceIds")

    def delete_workspaces(self, workspace_ids: Sequence[str]) -> None:
        """Unlink workspaces from the site. Jira eventually deletes their entities."""
        for chunk in _chunks(workspace_ids, WORKSPACES_MAX):
            params = {"workspaceIds": ",".join(chunk)}
            self._call(operations.DELETE, f"{_LINKED}/bulk", params=params)

    def submit_components(
        self, components: Sequence[Mapping[str, Any]], properties: Mapping[str, str]
    ) -> SubmitAnswer:
        """Submit at most COMPONENTS_MAX DevOps components; the answer is by component id."""
        document = {"devopsComponents": components, "properties": properties}
        body = json.dumps(document).encode()
        path = f"{_COMPONENTS}/bulk"
        return submit_answer(self._call(operations.SUBMIT_COMPONENTS, path, content=body))

    def delete_component(self, component_id: str) -> None:
        """Delete a DevOps component. Jira also accepts ids that it does not have."""
        self._call(operations.DELETE, f"{_COMPONENTS}/devopscomponents/{_segment(component_id)}")

    def delete_components_by_properties(self, properties: Mapping[str, str]) -> None:
        """Like `delete_by_properties`, for DevOps components."""
        self._delete_by_properties(_COMPONENTS, properties)

    def _delete_by_properties(self, api: str, properties: Mapping[str, str]) -> None:
        if not properties:
            raise ValueError("at least one property is required")
        self._call(operations.DELETE, f"{api}/bulkByProperties", params=properties)

    def app_property(self, app_key: str, name: str) -> Any:
        """The value of a property that Jira stores for the app; None if it is not set."""
        path = f"{_APPS}/{_segment(app_key)}/properties/{_segment(name)}"
        try:
            return self._call(operations.GET_PROPERTY, path)["value"]
        except NothingThere:
            return None

    def is_admin(self, account_id: str) -> bool:
        """Whether the account has the global permission to administer the site's Jira."""
        body = {"accountId": account_id, "globalPermissions": [_ADMINISTER]}
        content = json.dumps(body).encode()
        document = self._call(operations.CHECK_PERMISSIONS, _PERMISSIONS, content=content)
        return _ADMINISTER in strings_of(document, "globalPermissions")

    def _call(
        self,
        operation: Operation,
        path: str,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """Call as the first identity. Once Jira refuses it and accepts the fallback, use that."""
        deadline = Deadline(self._http.seconds)
        if self._fallback and self._uses_fallback:
            return self._fallback.client._call_once(deadline, operation, path, content, params)
        try:
            return self._call_once(deadline, operation, path, content, params)
        except (CredentialRefused, AccessRefused) as refused:
            if self._fallback is None:
                raise
            try:
                document = self._fallback.client._call_once(
                    deadline, operation, path, content, params
                )
            except (CredentialRefused, AccessRefused):
                raise refused from None
            except Unreadable:
                raise
            except JiraAnswered:
                # Jira answered with another error, so it accepted the credential.
                self._switch(operation, self._fallback, refused)
                raise
            self._switch(operation, self._fallback, refused)
            return document

    def _switch(
        self, operation: Operation, fallback: "FallbackIdentity", refused: JiraAnswered
    ) -> None:
        if operation.has_own_scope:
            return
        self._uses_fallback = True
        fallback.preferred(refused)

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
    """A second identity for the same site, used if Jira refuses the first (401, 403).

    `preferred` is called with that refusal once Jira has accepted the second identity.
    """

    client: JiraClient
    preferred: Callable[[JiraAnswered], None]


def _entity_path(kind: Kind, entity_id: str) -> str:
    return f"{_OPERATIONS}/{_COLLECTIONS[kind]}/{_segment(entity_id)}"


def _segment(item_id: str) -> str:
    """An id as one path segment. "." and ".." are encoded too: they would change the path."""
    segment = quote(item_id, safe="")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment


def _chunks(items: Sequence[ItemT], size: int) -> list[Sequence[ItemT]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
