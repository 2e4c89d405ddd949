"""Entities for benchmarks: the newest states of the project's sample, repeated as needed."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from infra.local.sample import sample_lines
from relay.delivery.protocol import batches
from relay.entities.model import EntityState, Kind
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.workspace_jira import submission_body


@cache
def _incidents() -> tuple[dict[str, Any], ...]:
    states = (json.loads(line) for line in sample_lines())
    newest = {one["incident"]["id"]: one["incident"] for one in states if "incident" in one}
    return tuple(newest.values())


def known_incidents() -> int:
    """The number of different incidents; the others are their copies, with ids of their own."""
    return len(_incidents())


def incidents(count: int, sequence: int = 1, first: int = 0) -> Iterator[dict[str, Any]]:
    """Incidents from number `first` on, all with this sequence."""
    known = _incidents()
    for number in range(first, first + count):
        own = {"id": incident_id(number), "updateSequenceNumber": sequence}
        yield known[number % len(known)] | own


def incident_id(number: int) -> str:
    """`inc-0000000`, with seven digits."""
    return f"inc-{number:07}"


def states(count: int, sequence: int = 1, first: int = 0) -> list[EntityState]:
    """The same incidents as states for the record."""
    return [
        EntityState(Kind.INCIDENT, entity, {}, sequence, "bench")
        for entity in incidents(count, sequence, first)
    ]


def bodies(entities: list[EntityState]) -> list[bytes]:
    """The bodies of the minimum number of requests to Jira for these entities."""
    ids = WorkspaceIds("bench000")
    return [
        submission_body(ids, batch.kind, batch.entities(0), batch.properties, batch.product)
        for batch in batches(entities)
    ]
