"""Containers as DevOps components, so that Jira shows `affectedComponents` by name."""

from datetime import UTC
from typing import Any

from relay.catalog.containers import Container
from relay.entities.moment import moment_of


def component_of(container: Container, logo_url: str, sequence: int) -> dict[str, Any]:
    """The container as a DevOps component in Jira's shape, which requires every field.

    `logo_url` replaces a missing avatar; `sequence` becomes the `updateSequenceNumber`.
    """
    changed = moment_of(container.lastUpdatedDate)
    return {
        "schemaVersion": "1.0",
        "id": container.id,
        "updateSequenceNumber": sequence,
        "name": container.name,
        "description": container.description or container.name,
        "url": container.url,
        "avatarUrl": container.avatarUrl or logo_url,
        "tier": container.tier or "Tier 4",
        "componentType": container.componentType or "Service",
        "lastUpdated": changed.astimezone(UTC).isoformat(timespec="milliseconds"),
    }
