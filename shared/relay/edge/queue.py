"""SQS in and out."""

from typing import TYPE_CHECKING, Any

from relay.aws import AWS_ERRORS
from relay.delivery import Delivery, Message, packed, parse_message
from relay.entities import EntityKey
from relay.telemetry import Metric, count, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


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


def consume(event: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    """Process an SQS event; the answer names the messages that must come again.

    A body that can't be read is one of them, so that it ends among the dead letters, with the
    reason in the log.
    """
    messages: dict[str, Message] = {}
    come_again: list[str] = []
    for record in event["Records"]:
        message_id = record["messageId"]
        try:
            messages[message_id] = parse_message(record["body"])
        except ValueError as error:
            logger.error("A message can't be read", message_id=message_id, reason=str(error))
            count(Metric.POISON_MESSAGES)
            come_again.append(message_id)
    unfinished = delivery.process(list(messages.values()))
    for message_id, message in messages.items():
        done = not any(message is other for other in unfinished)
        _log_end(message_id, message, done)
        if not done:
            come_again.append(message_id)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in come_again]}


def _log_end(message_id: str, message: Message, done: bool) -> None:
    logger.info(
        "Message done" if done else "Message comes again",
        message_id=message_id,
        workspace_id=message.workspace_id,
        correlation_id=message.correlation_id,
        entities=len(message.states),
    )
