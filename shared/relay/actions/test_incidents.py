"""An incident of Relay's own, which shows an admin whether deliveries arrive."""

import time
from datetime import UTC, datetime
from typing import Any

from relay.actions.admin_page import TEST_INCIDENT
from relay.catalog.containers import ContainerStore
from relay.catalog.workspaces import Workspace, WorkspaceStore
from relay.entities.model import EntityState
from relay.errors import Unavailable
from relay.provider.deletions import EntityDeleter
from relay.queues.submissions import Message, SubmissionsQueue


class TestIncidents:
    """Submits and deletes the test incident of a workspace.

    It is an entity like any other: every site that the workspace is linked to receives it.
    """

    # pytest would collect a class of this name.
    __test__ = False

    def __init__(
        self,
        workspaces: WorkspaceStore,
        containers: ContainerStore,
        queue: SubmissionsQueue,
        deleter: EntityDeleter,
    ) -> None:
        self._workspaces = workspaces
        self._containers = containers
        self._queue = queue
        self._deleter = deleter

    def submit(self, workspace_id: str, correlation_id: str) -> None:
        """Submit it, newer than any before. Raises NotFound; Unavailable or an AWS error."""
        workspace = self._workspaces.get(workspace_id)
        containers = self._containers.page(workspace_id, limit=1)
        affected = containers[0].id if containers else TEST_INCIDENT.id
        state = EntityState(TEST_INCIDENT.kind, _incident(workspace, affected))
        if self._queue.send(Message(workspace_id, correlation_id, (state,))):
            raise Unavailable("The test incident could not be queued. Try again later.")

    def delete(self, workspace_id: str, correlation_id: str) -> None:
        """Delete it; it may not exist. Raises Unavailable, or an AWS error."""
        self._deleter.delete(workspace_id, TEST_INCIDENT, correlation_id)


def _incident(workspace: Workspace, affected: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "schemaVersion": "1.0",
        "id": TEST_INCIDENT.id,
        "updateSequenceNumber": time.time_ns() // 1000,
        "affectedComponents": [affected],
        "summary": "Test incident from Relay",
        "description": "An admin of this Jira sent this to see that incidents arrive. Nothing is"
        " wrong, and it can be removed on Relay's page.",
        "url": workspace.url,
        "createdDate": now,
        "lastUpdated": now,
        "severity": {"level": "P5"},
        "status": "open",
    }
