"""A draft review is always valid for Jira, whatever the incident."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.actions.reviewing import review_url
from relay.entities.draft_review import draft_review, review_id
from relay.entities.model import Kind, PostIncidentReview, Sighting
from tests.support.entities import incident

NOW = datetime(2026, 2, 2, 10, 0, 0, 123456, UTC)
TIMELINE = [
    Sighting("2026-01-31T09:30:00Z", "open", "P2"),
    Sighting("2026-01-31T09:45:00Z", "open", "P1"),
    Sighting("2026-01-31T11:00:00Z", "resolved", None),
]


def test_a_draft_holds_known_facts_and_leaves_the_rest_open() -> None:
    state = draft_review(incident("inc-1"), TIMELINE, NOW, "https://ops.example.com/new?of=inc-1")
    assert state.kind is Kind.REVIEW
    assert dict(state.entity) == {
        "schemaVersion": "1.0",
        "id": "review-of-inc-1",
        "updateSequenceNumber": 1770026400123,
        "reviews": ["inc-1"],
        "summary": "Review: Checkout answers slowly",
        "description": (
            "[Incident](<https://ops.example.com/incidents/inc-1>)\n\n"
            "## Timeline\n\n"
            "- 2026-01-31T09:30:00Z: open, P2\n"
            "- 2026-01-31T09:45:00Z: open, P1\n"
            "- 2026-01-31T11:00:00Z: resolved\n\n"
            "## What happened\n\n## Why\n\n## What follows\n"
        ),
        "url": "https://ops.example.com/new?of=inc-1",
        "createdDate": "2026-02-02T10:00:00.123Z",
        "lastUpdated": "2026-02-02T10:00:00.123Z",
        "status": "in progress",
    }


SIGHTINGS = st.lists(
    st.builds(
        Sighting,
        st.just("2026-01-31T09:30:00.000000000Z"),
        st.sampled_from(["open", "resolved", "unknown"]),
        st.sampled_from([None, "P1", "unknown"]),
    ),
    max_size=200,
)


@given(
    st.text(min_size=1, max_size=255),
    st.text(max_size=255),
    st.integers(0, 1970),
    SIGHTINGS,
    st.text(max_size=300),
)
def test_a_draft_is_always_valid_for_jira(
    incident_id: str, summary: str, padding: int, timeline: list[Sighting], component: str
) -> None:
    url = "https://ops.example.com/" + "x" * padding
    recorded = incident(incident_id, summary=summary, url=url)
    template = "https://ops.example.com/new?of={incident-id}&in={component-id}"
    page = review_url(template, incident_id, component)
    state = draft_review(recorded, timeline, NOW, page)
    PostIncidentReview.model_validate(dict(state.entity))
    assert state.entity["url"] == (page if len(page) <= 2000 else url)


@pytest.mark.parametrize("page", ["", "https://ops.example.com/{other}", "https://a b/", "x" * 9])
def test_an_invalid_page_url_is_replaced_by_the_incidents_own(page: str) -> None:
    recorded = incident("inc-1")
    assert draft_review(recorded, [], NOW, page).entity["url"] == recorded["url"]


def test_a_drafts_id_is_derived_from_the_incidents() -> None:
    assert review_id("inc-1") == "review-of-inc-1"
    ids = ["x" * 245, "x" * 246, "x" * 254 + "y", "x" * 255, "🚀" * 255]
    drafts = [review_id(one) for one in ids]
    assert len(set(drafts)) == len(ids)
    assert all(len(one) <= 255 for one in drafts)
    assert drafts == [review_id(one) for one in ids]


HOSTILE: dict[str, Any] = {
    "a b&c=d#e?f": "a%20b%26c%3Dd%23e%3Ff",
    "../../x": "..%2F..%2Fx",
    "x\r\nSet-Cookie: a=b": "x%0D%0ASet-Cookie%3A%20a%3Db",
    "{component-id}": "%7Bcomponent-id%7D",
    "javascript:alert(1)": "javascript%3Aalert%281%29",
    "%2e%2e": "%252e%252e",
    "支": "%E6%94%AF",
    "\0": "%00",
    '"><script>': "%22%3E%3Cscript%3E",
}


@pytest.mark.parametrize(("given_id", "encoded"), HOSTILE.items())
def test_ids_are_filled_in_percent_encoded(given_id: str, encoded: str) -> None:
    template = "https://ops.example.com/{component-id}/new?of={incident-id}&in={component-id}"
    assert review_url(template, given_id, "c/1") == (
        f"https://ops.example.com/c%2F1/new?of={encoded}&in=c%2F1"
    )
    assert review_url(template, "i", given_id) == (
        f"https://ops.example.com/{encoded}/new?of=i&in={encoded}"
    )
