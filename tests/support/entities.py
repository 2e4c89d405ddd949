"""Entities that Jira would accept."""

from typing import Any


def incident(id: str = "inc-1", sequence: int = 1, **fields: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "schemaVersion": "1.0",
        "id": id,
        "updateSequenceNumber": sequence,
        "affectedComponents": ["checkout-api"],
        "summary": "Checkout answers slowly",
        "description": "**Investigating** since 09:30.",
        "url": f"https://ops.example.com/incidents/{id}",
        "createdDate": "2026-01-31T09:30:00Z",
        "lastUpdated": "2026-01-31T09:45:00.123+01:00",
        "severity": {"level": "P2"},
        "status": "open",
    } | fields


def review(id: str = "rev-1", sequence: int = 1, **fields: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "schemaVersion": "1.0",
        "id": id,
        "updateSequenceNumber": sequence,
        "reviews": ["inc-1"],
        "summary": "Why checkout answered slowly",
        "description": "What happened, and what follows.",
        "url": f"https://ops.example.com/reviews/{id}",
        "createdDate": "2026-02-02T10:00:00Z",
        "lastUpdated": "2026-02-02T10:00:00Z",
        "status": "in progress",
    } | fields
