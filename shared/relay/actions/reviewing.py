"""Making a draft review of a recorded incident, and submitting it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from relay.delivery.message import Message
from relay.entities import EntityKey, Kind
from relay.entities.draft_review import draft_review, review_id
from relay.entities.fields import ID_MAX, is_url
from relay.errors import NotFound, Unavailable
from relay.record import Entry, RecordStore


class Queue(Protocol):
    def send(self, message: Message) -> set[EntityKey]:
        """Returns what could not be queued."""


class Reviewing:
    """`url_template` is the provider's page for reviews, or empty (see `review_url`)."""

    def __init__(self, record: RecordStore, queue: Queue, url_template: str) -> None:
        """Raises RuntimeError for a template that does not make http or https URLs."""
        if url_template and not is_url(review_url(url_template, "id", "id")):
            raise RuntimeError("REVIEW_URL_TEMPLATE must be an http or https URL with a host")
        self._record = record
        self._queue = queue
        self._url_template = url_template

    def review_in(
        self, workspace_ids: Iterable[str], incident_id: str, component_id: str, correlation_id: str
    ) -> Mapping[str, Any]:
        """The review of the incident, in the first of these workspaces that has recorded it.

        One that is there already is answered as it is. Raises NotFound, Unavailable.
        """
        # One that is longer than any, DynamoDB would not even look for.
        for workspace_id in workspace_ids if len(incident_id) <= ID_MAX else ():
            incident = self._record.get(workspace_id, EntityKey(Kind.INCIDENT, incident_id))
            if incident and incident.entity:
                return self._review(workspace_id, incident, component_id, correlation_id)
        raise NotFound(f"There is no incident {incident_id!r}.", code="unknown_incident")

    def _review(
        self, workspace_id: str, incident: Entry, component_id: str, correlation_id: str
    ) -> Mapping[str, Any]:
        key = EntityKey(Kind.REVIEW, review_id(incident.key.id))
        known = self._record.get(workspace_id, key)
        if known and known.entity:
            return known.entity
        review = draft_review(
            incident.entity or {},
            incident.timeline,
            datetime.now(UTC),
            review_url(self._url_template, incident.key.id, component_id),
        )
        if self._queue.send(Message(workspace_id, correlation_id, (review,))):
            raise Unavailable("The review could not be queued; try again.")
        return review.entity


def review_url(template: str, incident_id: str, component_id: str) -> str:
    """The provider's own page for a review, by the deployment's template."""
    return template.replace("{incident-id}", quote(incident_id, safe="")).replace(
        "{component-id}", quote(component_id, safe="")
    )
