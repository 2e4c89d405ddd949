"""Receives all messages of an emulated queue, as Lambda's event source does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def drain(sqs: "SQSClient", queue: str) -> "Iterator[MessageTypeDef]":
    """Receives and deletes every visible message of the queue, given by its URL."""
    while found := sqs.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["MessageGroupId"],
    ).get("Messages"):
        yield from found
        entries = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
            for place, message in enumerate(found)
        ]
        sqs.delete_message_batch(QueueUrl=queue, Entries=entries)  # type: ignore[arg-type]
