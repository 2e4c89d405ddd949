"""The dead-letter queue of submissions: messages that can't be processed, each with its reason."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relay.aws import AWS_ERRORS
from relay.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Characters of a message attribute's value.
_VALUE_MAX = 500


class DeadLetters:
    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, body: str, known: Mapping[str, str]) -> bool:
        """Queue the body, with `known` (such as `reason`) as message attributes. False where it
        could not be queued."""
        attributes: Any = {
            name: {"DataType": "String", "StringValue": value[:_VALUE_MAX]}
            for name, value in known.items()
            if value
        }
        try:
            self._sqs.send_message(
                QueueUrl=self._url, MessageBody=body, MessageAttributes=attributes
            )
        except AWS_ERRORS:
            logger.exception("A dead letter could not be queued")
            return False
        return True
