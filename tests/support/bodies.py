"""A batch as the body of a request to Jira."""

from infra.openapi.parameters import IDS
from relay.delivery.protocol import Batch
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.workspace_jira import submission_body

__all__ = ["IDS", "PLAIN", "body_of"]

PLAIN = WorkspaceIds(IDS.key, plain=True)


def body_of(batch: Batch, generation: int = 0, ids: WorkspaceIds = IDS) -> bytes:
    entities = batch.entities(generation)
    return submission_body(ids, batch.kind, entities, batch.properties, batch.product)
