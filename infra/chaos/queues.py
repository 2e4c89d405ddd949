"""SQS as the functions see it: at least once, in no order, and never a message lost.

The functions send to the emulated SQS. What they sent is taken from there and kept here, where a
delay goes by the run's clock and a message may come twice.
"""

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.chaos.boundary import DUE
from infra.chaos.clock import Clock
from infra.lambdas.template import resources

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_DUPLICATE_WITHIN = 600.0


@dataclass(eq=False)
class Queued:
    """`due` is when it may be received (again), by the run's clock."""

    id: str
    body: str
    due: float
    receives: int = 0

    @property
    def record(self) -> dict[str, Any]:
        return {
            "messageId": self.id,
            # Unknown to the emulated SQS: what is acknowledged early comes again all the same.
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "eventSource": "aws:sqs",
        }


@dataclass
class Queue:
    """One of the template's, with its visibility timeout and what it allows of receives."""

    name: str
    url: str
    clock: Clock
    lots: random.Random
    duplicate_rate: float = 0.0
    messages: dict[str, Queued] = field(default_factory=dict)
    dead: list[Queued] = field(default_factory=list)
    duplicated: int = 0

    def __post_init__(self) -> None:
        properties = resources("AWS::SQS::Queue")[self.name]
        self._visibility = float(properties.get("VisibilityTimeout", 30))
        self._receives_max = int(properties.get("RedrivePolicy", {}).get("maxReceiveCount", 0))
        self._lock = threading.Lock()

    def collect(self, sqs: "SQSClient") -> None:
        """Take over what was sent since."""
        while found := sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in found:
                due = float(message["MessageAttributes"][DUE]["StringValue"])
                self.messages[message["MessageId"]] = Queued(
                    message["MessageId"], message["Body"], due
                )
            sqs.delete_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(found)
                ],
            )

    def visible(self) -> list[Queued]:
        now = self.clock.now()
        return [message for message in self.messages.values() if message.due <= now]

    @property
    def next_due(self) -> float | None:
        return min((message.due for message in self.messages.values()), default=None)

    def receive(self, messages: Iterable[Queued]) -> list[Queued]:
        """These are with a function now; what was received too often is among the dead."""
        received = []
        for message in messages:
            if self._receives_max and message.receives >= self._receives_max:
                self.dead.append(message)
                self.messages.pop(message.id, None)
                continue
            message.receives += 1
            message.due = self.clock.now() + self._visibility
            received.append(message)
        return received

    def delete(self, messages: Sequence[Queued]) -> None:
        """Done; now and then SQS delivers one again all the same."""
        with self._lock:
            for message in messages:
                if self.lots.random() < self.duplicate_rate:
                    self.duplicated += 1
                    message.due = self.clock.now() + self.lots.random() * _DUPLICATE_WITHIN
                else:
                    self.messages.pop(message.id, None)
