"""Calls of the operations tool about one workspace: by a key that is for it, while it exists."""

from dataclasses import dataclass

from relay.catalog.workspaces import WorkspaceStore
from relay.edge.documents import checked_workspace_id
from relay.edge.http import HttpFunction
from relay.identity.api_keys import ApiKeyVerifier
from relay.identity.caller import Request


@dataclass(frozen=True, slots=True)
class WorkspaceCalls:
    function: HttpFunction
    api_key: ApiKeyVerifier
    workspaces: WorkspaceStore

    def about(self, workspace_id: str) -> Request:
        """What is called. The key and the workspace are read in one call to DynamoDB.

        Raises Unauthenticated, Forbidden for another's workspace, BadRequest for what is no id, and
        NotFound for a workspace that was never put, or is deleted.
        """
        wanted = self.workspaces.wanted(workspace_id)
        caller, request = self.function.caller(self.api_key.beside(wanted))
        caller.check_workspace(checked_workspace_id(workspace_id))
        self.workspaces.check(wanted, workspace_id)
        return request
