"""Creates a draft of a post-incident review from the recorded incident."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from relay.entities.fields import DESCRIPTION_MAX, ID_MAX, TEXT_MAX, is_url
from relay.entities.model import EntityState, Kind, Sighting

_ID_PREFIX = "review-of-"


def draft_review(
    incident: Mapping[str, Any], timeline: Sequence[Sighting], now: datetime, url: str = ""
) -> EntityState:
    """A draft review of a recorded incident, in Jira's shape.

    `timeline` is in order. `url` is the review's page; if it is not a valid URL, the incident's is
    used. The review's id derives from the incident's, so that a repeated request makes one review.
    """
    moment = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    review = {
        "schemaVersion": "1.0",
        "id": review_id(incident["id"]),
        "updateSequenceNumber": int(now.timestamp() * 1000),
        "reviews": [incident["id"]],
        "summary": f"Review: {incident['summary']}"[:TEXT_MAX],
        "description": _description(incident["url"], timeline)[:DESCRIPTION_MAX],
        "url": url if is_url(url) else incident["url"],
        "createdDate": moment,
        "lastUpdated": moment,
        "status": "in progress",
    }
    return EntityState(Kind.REVIEW, review)


def review_id(incident_id: str) -> str:
    """The id of the incident's draft review: readable, or hashed where that would be too long."""
    readable = _ID_PREFIX + incident_id
    return (
        readable
        if len(readable) <= ID_MAX
        else _ID_PREFIX + sha256(incident_id.encode()).hexdigest()
    )


def _description(url: str, timeline: Sequence[Sighting]) -> str:
    lines = [f"[Incident](<{url}>)", "", "## Timeline", ""]
    lines += [_line(sighting) for sighting in timeline]
    lines += ["", "## What happened", "", "## Why", "", "## What follows", ""]
    return "\n".join(lines)


def _line(sighting: Sighting) -> str:
    severity = f", {sighting.severity}" if sighting.severity else ""
    return f"- {sighting.at}: {sighting.status}{severity}"
