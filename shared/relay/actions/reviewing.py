"""Creating a draft review of a recorded incident, and submitting it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from relay.entities.draft_review import draft_review, review_id
from relay.entities.fields import is_url
from relay.entities.model import EntityKey, Kind
from relay.errors import NotFound, Unavailable
from relay.queues.submissions import Message, SubmissionsQueue
from relay.record.entry import Entry
from relay.record.store import RecordStore
from relay.tenants.links import Link


class DraftReviews:
    """Creates draft reviews.

    `url_template` is the URL of the provider's page for reviews, or empty (see `review_url`).
    """

    def __init__(self, record: RecordStore, queue: SubmissionsQueue, url_template: str) -> None:
        """Raises RuntimeError if the template does not produce http or https URLs."""
        if url_template and not is_url(review_url(url_template, "id", "id")):
            raise RuntimeError("REVIEW_URL_TEMPLATE must be an http or https URL with a host")
        self._record = record
        self._queue = queue
        self._url_template = url_template

    def review_in(
        self, workspace_id: str, incident_id: str, correlation_id: str
    ) -> Mapping[str, Any]:
        """The review of one of the workspace's incidents, in Jira's JSON.

        An existing review is returned unchanged. Raises NotFound, and Unavailable if a new one
        can't be queued.
        """
        incident = self._incident(workspace_id, incident_id)
        if incident is None:
            raise _unknown(incident_id)
        return self._review(workspace_id, incident, "", correlation_id)

    def review_for_site(
        self, links: Iterable[Link], incident_id: str, component_id: str, correlation_id: str
    ) -> Mapping[str, Any]:
        """Like `review_in`, for the linked workspace that the ids belong to.

        The arguments and the returned review use ids as the site knows them.
        """
        for link in links:
            own_id = link.ids.own(incident_id)
            incident = self._incident(link.workspace_id, own_id) if own_id else None
            if incident:
                component = link.ids.own(component_id) or ""
                review = self._review(link.workspace_id, incident, component, correlation_id)
                return link.ids.entity_at_site(review)
        raise _unknown(incident_id)

    def _incident(self, workspace_id: str, incident_id: str) -> Entry | None:
        entry = self._record.get(workspace_id, EntityKey(Kind.INCIDENT, incident_id))
        return entry if entry and entry.entity else None

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
            raise Unavailable("The review could not be queued. Try again later.")
        return review.entity


def _unknown(incident_id: str) -> NotFound:
    return NotFound(f"There is no incident {incident_id!r}.", code="unknown_incident")


def review_url(template: str, incident_id: str, component_id: str) -> str:
    """The URL of the provider's page for a review: the template with `{incident-id}` and
    `{component-id}` replaced."""
    return template.replace("{incident-id}", quote(incident_id, safe="")).replace(
        "{component-id}", quote(component_id, safe="")
    )
