"""The queue of submissions, as functions put messages into it, and acknowledge them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from relay.aws import AWS_ERRORS
from relay.delivery.message import Message, packed
from relay.entities import EntityKey
from relay.telemetry import Metric, count, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS's own limit per call.
_DELETE_MAX = 10


class SubmissionsQueue:
    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, message: Message, delay_seconds: int = 0) -> set[EntityKey]:
        """Queue the message, in as many parts as it takes; returns what could not be queued."""
        return {key for part in self.unsent(message, delay_seconds) for key in part.keys}

    def unsent(self, message: Message, delay_seconds: int = 0) -> list[Message]:
        """Queue the message; returns its last parts, those that could not be queued.

        After a part that failed the rest is not tried: it would fail alike, and the caller waits.
        """
        parts = list(packed(message))
        for sent, (_, body) in enumerate(parts):
            try:
                self._sqs.send_message(
                    QueueUrl=self._url,
                    MessageBody=body,
                    MessageGroupId=message.workspace_id,
                    DelaySeconds=delay_seconds,
                )
            except AWS_ERRORS:
                logger.exception("A message could not be queued")
                return [part for part, _ in parts[sent:]]
            count(Metric.QUEUE_MESSAGES)
        return []

    def acknowledge(self, records: Sequence[dict[str, Any]]) -> None:
        """These received messages are done; one that can't be deleted now comes again."""
        for start in range(0, len(records), _DELETE_MAX):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(records[start : start + _DELETE_MAX])
            ]
            try:
                self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            except AWS_ERRORS:
                logger.exception("Messages could not be acknowledged")
