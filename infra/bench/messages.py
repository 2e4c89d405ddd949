"""Submissions as the submitter receives them from SQS."""

from typing import Any

from infra.lambdas.runtime import Context, sqs_event
from relay.entities.model import EntityState
from relay.queues.submissions import Message, packed


def event(workspace_id: str, entities: list[EntityState], per_message: int = 1000) -> Any:
    """An SQS event of submissions with `per_message` entities each."""
    slices = range(0, len(entities), per_message)
    messages = [tuple(entities[first : first + per_message]) for first in slices]
    return sqs_event(
        body for one in messages for _, body in packed(Message(workspace_id, "bench", one))
    )


def submit(submitter: Any, message: dict[str, Any]) -> None:
    """Invokes the submitter. Raises RuntimeError unless it processes every message."""
    if submitter.handler(message, Context())["batchItemFailures"]:
        raise RuntimeError("The submitter did not process all messages.")
