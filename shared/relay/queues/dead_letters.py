"""The dead-letter queue of submissions, for messages that can't be processed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relay.aws import AWS_ERRORS
from relay.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Characters per message attribute.
_VALUE_MAX = 500


class DeadLetters:
    """Sends dead letters, each with its reason."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, body: str, known: Mapping[str, str]) -> bool:
        """Queue the body, with `known` (such as `reason`) as message attributes. Returns whether
        that succeeded; a failure is logged."""
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
