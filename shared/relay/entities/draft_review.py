"""A draft of a post-incident review, made of what the record knows of the incident."""

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
    """A review of a recorded incident; its page is `url`, or else the incident's own.

    Its id follows from the incident's, so that asking twice makes one review.
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
    whole = _ID_PREFIX + incident_id
    return whole if len(whole) <= ID_MAX else _ID_PREFIX + sha256(incident_id.encode()).hexdigest()


def _description(url: str, timeline: Sequence[Sighting]) -> str:
    lines = [f"[Incident](<{url}>)", "", "## Timeline", ""]
    lines += [_line(sighting) for sighting in timeline]
    lines += ["", "## What happened", "", "## Why", "", "## What follows", ""]
    return "\n".join(lines)


def _line(sighting: Sighting) -> str:
    severity = f", {sighting.severity}" if sighting.severity else ""
    return f"- {sighting.at}: {sighting.status}{severity}"
