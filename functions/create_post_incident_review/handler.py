"""Jira's action createPostIncidentReview: a link for people, and a call that makes a draft."""

from relay.actions.reviewing import DraftReviews, review_url
from relay.edge.answer import Answer, json_answer
from relay.edge.http import HttpFunction
from relay.edge.pages import configure_page, redirect
from relay.edge.query import query_id
from relay.edge.wiring import ForgeParts
from relay.entities.workspace_ids import without_key
from relay.errors import BadRequest, Detail
from relay.queues.submissions import SubmissionsQueue
from relay.record.store import RecordStore
from relay.settings import ReviewSettings

settings = ReviewSettings.from_environment()
parts = ForgeParts(settings)
draft_reviews = DraftReviews(
    RecordStore(parts.dynamodb, settings.record_table),
    SubmissionsQueue(parts.sqs, settings.submissions_queue),
    settings.review_url_template,
)
site, link_store = parts.site, parts.links

handler = HttpFunction(settings.base_url)


def own_id(site_id: str) -> str:
    return site_id if settings.plain_ids == "on" else without_key(site_id)


@handler.get("/post-incident-reviews/new", query=("incident", "component"))
def follow_review_link() -> Answer:
    """Jira's link to the page where a review is written.

    A link in a browser, without a token: it reads nothing, and its answer does not depend on
    whether the incident exists.
    """
    request = handler.request
    incident = own_id(query_id(request, "incident"))
    component = own_id(query_id(request, "component"))
    if not settings.review_url_template:
        return configure_page()
    return redirect(review_url(settings.review_url_template, incident, component))


@handler.post("/post-incident-reviews/new", query=("incident", "component"))
def create_post_incident_review() -> Answer:
    """Draft a review of an incident and submit it.

    Repeating the call creates no second review.
    """
    caller, request = handler.caller(site)
    incident, component = query_id(request, "incident"), query_id(request, "component")
    if not incident:
        missing = Detail("incident", "missing", "The query must have the incident's id")
        raise BadRequest("`incident` is missing.", [missing])
    links = link_store.of_tenant(caller.tenant.id)
    review = draft_reviews.review_for_site(links, incident, component, handler.correlation_id)
    return json_answer(201, {"review": review})
