"""SQS as the functions see it: at-least-once delivery, in any order, without loss.

The functions send to the emulated SQS. The run moves the messages to these queues, whose delays
follow the run's clock and which may deliver a message twice.
"""

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.harness.boundary import DUE
from infra.harness.clock import Clock
from infra.harness.drain import drain
from infra.lambdas.template import resources

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_DUPLICATE_WITHIN = 600.0


@dataclass(eq=False)
class Queued:
    """A message; it is visible from `due` on, in epoch seconds of the run's clock.

    `disturbed` counts its receives that the run made fail, or that ended well and were repeated.
    """

    id: str
    body: str
    group: str
    due: float
    receives: int = 0
    disturbed: int = 0

    @property
    def record(self) -> dict[str, Any]:
        """The message as a record of Lambda's SQS event."""
        return {
            "messageId": self.id,
            # Unknown to the emulated SQS: deleting a message early has no effect.
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "MessageGroupId": self.group,
            },
            "eventSource": "aws:sqs",
        }


@dataclass
class Queue:
    """One of the template's queues, with its visibility timeout and maxReceiveCount."""

    name: str
    url: str
    clock: Clock
    rng: random.Random
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
        """Moves the messages that were sent since the last call into this queue."""
        for message in drain(sqs, self.url):
            due = float(message["MessageAttributes"][DUE]["StringValue"])
            group = message.get("Attributes", {}).get("MessageGroupId", "")
            queued = Queued(message["MessageId"], message["Body"], group, due)
            self.messages[queued.id] = queued

    def visible(self) -> list[Queued]:
        """The messages that can be received now."""
        now = self.clock.now()
        return [message for message in self.messages.values() if message.due <= now]

    @property
    def next_due(self) -> float | None:
        """When the next message becomes visible; None for an empty queue."""
        return min((message.due for message in self.messages.values()), default=None)

    @property
    def dead_by_themselves(self) -> list[Queued]:
        """The dead letters that failed at least once without a disturbance by the run."""
        return [message for message in self.dead if message.disturbed < message.receives]

    def receive(self, messages: Iterable[Queued]) -> list[Queued]:
        """Receives these messages; one that exceeds maxReceiveCount moves to `dead` instead."""
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
        """Deletes these messages; at `duplicate_rate`, one is redelivered anyway."""
        with self._lock:
            for message in messages:
                if self.rng.random() < self.duplicate_rate:
                    self.duplicated += 1
                    message.disturbed += 1
                    message.due = self.clock.now() + self.rng.random() * _DUPLICATE_WITHIN
                else:
                    self.messages.pop(message.id, None)
