"""Guards for the operations tool's calls: each `/v1` route begins with one of them.

Each returns the request. It raises Unauthenticated without a valid API key, Forbidden if
the key does not cover the call, and BadRequest for an unknown parameter or an invalid id.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from relay.catalog.workspaces import WorkspaceStore
from relay.edge.documents import checked_workspace_id
from relay.edge.http import HttpFunction
from relay.identity.api_keys import ApiKeyVerifier
from relay.identity.caller import ProviderCaller, Request
from relay.keys import Key
from relay.table import Item


@dataclass(frozen=True, slots=True)
class ProviderCalls:
    """Guards that read only the API key."""

    function: HttpFunction
    api_key: ApiKeyVerifier

    def by_any_key(self) -> tuple[ProviderCaller, Request]:
        """For routes whose answer depends on the caller's workspaces."""
        return self.function.caller(self.api_key)

    def by_key_for(self, workspace_id: str) -> Request:
        """For routes of one workspace, which need not exist."""
        caller, request = self.by_any_key()
        caller.check_workspace(checked_workspace_id(workspace_id))
        return request

    def by_key_for_all(self, workspace_id: str | None = None) -> Request:
        """For routes that need a key for all workspaces; they may name one workspace."""
        caller, request = self.by_any_key()
        caller.check_all_workspaces()
        if workspace_id is not None:
            # Jira reads a comma as the start of another id.
            checked_workspace_id(workspace_id)
        return request


@dataclass(frozen=True, slots=True)
class WorkspaceCalls(ProviderCalls):
    """Guards that also read the workspace."""

    workspaces: WorkspaceStore

    def about(self, workspace_id: str) -> Request:
        """For routes of one existing workspace. One call to DynamoDB reads it and the key.

        Raises NotFound for a workspace that was never put or is deleted.
        """
        verifier = _AlsoReading(self.api_key, self.workspaces.place_of(workspace_id))
        (caller, found), request = self.function.caller(verifier)
        caller.check_workspace(checked_workspace_id(workspace_id))
        self.workspaces.check_found(found, workspace_id)
        return request


@dataclass(frozen=True, slots=True)
class _AlsoReading:
    api_key: ApiKeyVerifier
    also: Mapping[str, Key]

    def verify(self, request: Request) -> tuple[ProviderCaller, Mapping[str, Item]]:
        return self.api_key.verify_and_read(request, self.also)
