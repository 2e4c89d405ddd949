"""Entities: their outcomes, deletions, draft reviews; the record as an export."""

from typing import TYPE_CHECKING

from relay.actions.reviewing import DraftReviews
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.answer import Answer, json_answer
from relay.edge.entity_documents import (
    checked_entity,
    checked_properties,
    entity_document,
    entity_page,
    page_cursor,
    searched_text,
)
from relay.edge.export_documents import (
    EXPORT_BYTES_MAX,
    EXPORT_ENTITIES_MAX,
    added_deletions,
    export_page,
)
from relay.edge.http import HttpFunction
from relay.edge.query import flag, page_limit, query_value
from relay.edge.wiring import SiteParts
from relay.edge.workspace_calls import WorkspaceCalls
from relay.entities.model import Kind
from relay.identity.api_keys import ApiKeyVerifier
from relay.provider.deletions import EntityDeleter
from relay.provider.tracking import EntityFilter, EntityTracker, state_named
from relay.queues.submissions import SubmissionsQueue
from relay.record.associations import AssociationStore
from relay.record.debts import DebtStore
from relay.record.store import RecordStore
from relay.settings import EntitiesSettings

if TYPE_CHECKING:
    from relay.edge.shapes.entities import DeletedCount, DeletedEntity
    from relay.edge.shapes.export import AddedDeletions

settings = EntitiesSettings.from_environment()
parts = SiteParts(settings)
record = RecordStore(parts.dynamodb, settings.record_table)
tracking = EntityTracker(
    record,
    AssociationStore(parts.dynamodb, settings.record_table),
    DebtStore(parts.dynamodb, settings.record_table),
    parts.sites,
)
queue = SubmissionsQueue(parts.sqs, settings.submissions_queue)
deleting = EntityDeleter(record, queue)
draft_reviews = DraftReviews(record, queue, settings.review_url_template)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(
    handler,
    ApiKeyVerifier(parts.dynamodb, settings.api_keys_table),
    WorkspaceStore(parts.dynamodb, settings.catalog_table),
)


@handler.get("/v1/workspaces/{workspaceId}/entities", query=("state", "text", "limit", "after"))
def list_entities(workspace_id: str) -> Answer:
    """List entities and their outcomes.

    With `text`, those that hold it, such as a person's name, anywhere in their texts or properties.
    """
    request = calls.about(workspace_id)
    only = EntityFilter(state_named(query_value(request, "state")), searched_text(request))
    page = tracking.page(workspace_id, only, page_cursor(request), page_limit(request))
    return json_answer(200, entity_page(page))


@handler.delete("/v1/workspaces/{workspaceId}/entities", query=None)
def delete_by_properties(workspace_id: str) -> Answer:
    """Delete the entities submitted with these properties.

    Deleting an entity twice, or one that does not exist, succeeds. A state submitted before the
    deletion does not restore the entity, however late it arrives; a newer state submitted
    afterwards does.
    """
    request = calls.about(workspace_id)
    properties = checked_properties(request)
    count = deleting.delete_by_properties(workspace_id, properties, handler.correlation_id)
    deleted: DeletedCount = {"deleted": count}
    return json_answer(202, deleted)


@handler.get("/v1/workspaces/{workspaceId}/export", query=("after",))
def export_entities(workspace_id: str) -> Answer:
    """Export the record, to move it to another deployment.

    Each entity's newest state, with what it was submitted with, or its deletion. An entity that
    changes meanwhile is exported in the state before or after.
    """
    request = calls.about(workspace_id)
    after = page_cursor(request)
    page = record.page(workspace_id, after, EXPORT_ENTITIES_MAX, None, EXPORT_BYTES_MAX)
    return json_answer(200, export_page(page))


@handler.post("/v1/workspaces/{workspaceId}/deletions")
def add_deletions(workspace_id: str) -> Answer:
    """Add deletions that another deployment has exported.

    Each keeps its sequence and its time, so that no state restores the entity that could not have
    done so there. A newer state that is recorded here stays. Repeating the call changes nothing.
    """
    request = calls.about(workspace_id)
    found = added_deletions(request)
    added: AddedDeletions = {
        "deleted": deleting.add_deletions(workspace_id, found, handler.correlation_id)
    }
    return json_answer(202, added)


@handler.get("/v1/workspaces/{workspaceId}/incidents/{incidentId+}", query=("confirm",))
def get_incident(workspace_id: str, incident_id: str) -> Answer:
    """Get an incident and its outcomes."""
    return get_entity(workspace_id, Kind.INCIDENT, incident_id)


@handler.get("/v1/workspaces/{workspaceId}/reviews/{reviewId+}", query=("confirm",))
def get_review(workspace_id: str, review_id: str) -> Answer:
    """Get a review and its outcomes."""
    return get_entity(workspace_id, Kind.REVIEW, review_id)


def get_entity(workspace_id: str, kind: Kind, entity_id: str) -> Answer:
    request = calls.about(workspace_id)
    key = checked_entity(kind, entity_id)
    entry, sites = tracking.of(workspace_id, key, flag(request, "confirm"))
    return json_answer(200, entity_document(entry, sites))


@handler.delete("/v1/workspaces/{workspaceId}/incidents/{incidentId+}")
def delete_incident(workspace_id: str, incident_id: str) -> Answer:
    """Delete an incident.

    Deleting an entity twice, or one that does not exist, succeeds. A state submitted before the
    deletion does not restore the entity, however late it arrives; a newer state submitted
    afterwards does.
    """
    return delete_entity(workspace_id, Kind.INCIDENT, incident_id)


@handler.delete("/v1/workspaces/{workspaceId}/reviews/{reviewId+}")
def delete_review(workspace_id: str, review_id: str) -> Answer:
    """Delete a review.

    Deleting an entity twice, or one that does not exist, succeeds. A state submitted before the
    deletion does not restore the entity, however late it arrives; a newer state submitted
    afterwards does.
    """
    return delete_entity(workspace_id, Kind.REVIEW, review_id)


def delete_entity(workspace_id: str, kind: Kind, entity_id: str) -> Answer:
    calls.about(workspace_id)
    key = checked_entity(kind, entity_id)
    deleting.delete(workspace_id, key, handler.correlation_id)
    deleted: DeletedEntity = {"kind": key.kind, "id": key.id}
    return json_answer(202, deleted)


@handler.post("/v1/workspaces/{workspaceId}/incidents/{incidentId}/review")
def make_review(workspace_id: str, incident_id: str) -> Answer:
    """Draft a review of an incident and submit it.

    Repeating the call creates no second review.
    """
    calls.about(workspace_id)
    incident = checked_entity(Kind.INCIDENT, incident_id)
    review = draft_reviews.review_in(workspace_id, incident.id, handler.correlation_id)
    return json_answer(201, {"review": review})
