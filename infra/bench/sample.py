"""Entities to measure with: the newest states of the project's own sample, as often as needed."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from infra.local.sample import sample_lines
from relay.delivery.protocol import batches
from relay.entities.model import EntityState, Kind
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.workspace_jira import submission_body
from relay.queues.submissions import Message, packed

Document = dict[str, Any]


@cache
def _incidents() -> tuple[Document, ...]:
    states = (json.loads(line) for line in sample_lines())
    newest = {one["incident"]["id"]: one["incident"] for one in states if "incident" in one}
    return tuple(newest.values())


def incidents(count: int, sequence: int = 1, first: int = 0) -> Iterator[Document]:
    """Incidents with ids of their own, from number `first` on, all in this sequence."""
    known = _incidents()
    for number in range(first, first + count):
        yield known[number % len(known)] | {
            "id": incident_id(number),
            "updateSequenceNumber": sequence,
        }


def incident_id(number: int) -> str:
    return f"inc-{number:07}"


def states(count: int, sequence: int = 1, first: int = 0) -> list[EntityState]:
    return [
        EntityState(Kind.INCIDENT, entity, {}, sequence, "bench")
        for entity in incidents(count, sequence, first)
    ]


def bodies(entities: list[EntityState]) -> list[bytes]:
    """The requests to Jira that bring these, in the fewest."""
    ids = WorkspaceIds("bench000")
    return [
        submission_body(ids, batch.kind, batch.entities(0), batch.properties, batch.product)
        for batch in batches(entities)
    ]


def event(workspace_id: str, entities: list[EntityState], per_message: int = 1000) -> Document:
    """SQS's event of submissions of so many entities each."""
    bodies = [
        body
        for start in range(0, len(entities), per_message)
        for _, body in packed(
            Message(workspace_id, "bench", tuple(entities[start : start + per_message]))
        )
    ]
    return sqs_event(bodies)


def sqs_event(bodies: list[str]) -> Document:
    records = [
        {
            "messageId": f"message-{number}",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}
