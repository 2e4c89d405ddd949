"""The queue of notices: events in Jira that are sent to a workspace's webhook.

A message is the notice as JSON: `{"format": 1, "id", "workspace_id", "event", "at", "data"}`.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from relay.aws import AWS_ERRORS
from relay.queues.formats import refusal
from relay.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Event = Literal["entity.associated", "entity.disassociated", "webhook.test"]

_FORMAT: Literal[1] = 1
# Seconds until a notice is sent again: doubled each time, and an hour at most.
_FIRST_DELAY = 30
_LAST_DELAY = 3600


@dataclass(frozen=True, slots=True)
class Notice:
    """An event for a workspace's webhook. `id` is the same for every attempt to send it; `at` is an
    RFC 3339 date-time."""

    id: str
    workspace_id: str
    event: Event
    at: str
    data: dict[str, Any]


class _Content(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    # Notices had none at first.
    format: Literal[1] = _FORMAT
    id: str
    workspace_id: str
    event: Event
    at: str
    data: dict[str, Any]


class NoticesQueue:
    """Sends notices, and delays the redelivery of received ones."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, notices: Iterable[Notice]) -> None:
        """Queue these notices. Raises AWS_ERRORS, with part of them queued."""
        for notice in notices:
            # One message group per workspace: SQS then hands out other workspaces' notices first
            # where one workspace's pile up.
            content = _Content(**asdict(notice))
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=content.model_dump_json(),
                MessageGroupId=notice.workspace_id,
            )

    def delay(self, record: dict[str, Any]) -> None:
        """Delay a received message's redelivery, longer each time. If that fails, the message is
        redelivered after the queue's visibility timeout."""
        seconds = delay_after(int(record["attributes"]["ApproximateReceiveCount"]))
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=seconds,
            )
        except AWS_ERRORS:
            logger.exception("A notice's delay could not be set")


def parse_notice(body: str) -> Notice:
    """The notice. Raises ValueError for a body that is not one, and NewerFormat for one of a newer
    version."""
    try:
        content = _Content.model_validate_json(body)
    except ValidationError as error:
        raise refusal(error, _FORMAT) from None
    return Notice(content.id, content.workspace_id, content.event, content.at, content.data)


def delay_after(receives: int) -> int:
    """Seconds until the redelivery of a notice that was received this many times (from 1)."""
    return min(_FIRST_DELAY << receives - 1, _LAST_DELAY)
