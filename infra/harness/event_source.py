"""Lambda's event source mapping of a queue: polls it, collects batches and invokes the function.

As on AWS, several pollers each collect their own batch: until it holds BatchSize messages or 6 MB,
or MaximumBatchingWindowInSeconds after its first message. At most MaximumConcurrency invocations
run. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from infra.harness.invocation import InvocationResult

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Lambda starts with five, and adds up to 300 a minute while messages are waiting.
POLLERS = 5
RECEIVE_MAX = 10
BATCH_BYTES_MAX = 6 * 1024 * 1024


class EventSource:
    """Polls from `start` to `stop`. `properties` are the mapping's, `invoke` takes an SQS event."""

    def __init__(
        self,
        sqs: "SQSClient",
        queue: str,
        properties: dict[str, Any],
        invoke: Callable[[dict[str, Any]], InvocationResult],
    ) -> None:
        # Messages per invocation, and the errors of those that failed.
        self.invoked: list[int] = []
        self.errors: list[str] = []
        self._sqs = sqs
        self._queue = queue
        self._size = int(properties["BatchSize"])
        self._window = float(properties.get("MaximumBatchingWindowInSeconds", 0))
        concurrency = int(properties["ScalingConfig"]["MaximumConcurrency"])
        self._invoke = invoke
        self._stopping = threading.Event()
        self._slots = threading.Semaphore(concurrency)
        self._running = ThreadPoolExecutor(concurrency)
        self._pollers = [threading.Thread(target=self._poll) for _ in range(POLLERS)]

    def start(self) -> None:
        """Starts the pollers."""
        for poller in self._pollers:
            poller.start()

    def stop(self) -> None:
        """Ends the pollers, and waits for the running invocations."""
        self._stopping.set()
        for poller in self._pollers:
            poller.join()
        self._running.shutdown()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            with_slot = self._slots.acquire(timeout=1)
            if not with_slot:
                continue
            if batch := self._collect():
                self._running.submit(self._run, batch)
            else:
                self._slots.release()

    def _collect(self) -> "list[MessageTypeDef]":
        """The next batch; empty if no message arrived within a second."""
        batch = self._receive(1)
        closes_at = time.monotonic() + self._window
        while batch and len(batch) < self._size and _bytes_of(batch) < BATCH_BYTES_MAX:
            left = closes_at - time.monotonic()
            if left <= 0:
                break
            # A long poll lasts whole seconds, so the rest of the window ends with a short one.
            if left < 1 and not (found := self._receive(0)):
                time.sleep(min(left, 0.1))
                continue
            batch += found if left < 1 else self._receive(int(left))
        return batch

    def _receive(self, wait: int) -> "list[MessageTypeDef]":
        return self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=RECEIVE_MAX,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=[
                "ApproximateReceiveCount",
                "MessageGroupId",
                "SentTimestamp",
            ],
        ).get("Messages", [])

    def _run(self, batch: "list[MessageTypeDef]") -> None:
        """Invoke the function, and delete the messages that it processed."""
        try:
            result = self._invoke({"Records": [_record(message) for message in batch]})
            self.invoked.append(len(batch))
            if result.failed:
                self.errors.append(result.error or "killed")
            failures = result.answer.get("batchItemFailures", [])
            kept = {failure["itemIdentifier"] for failure in failures}
            done = [one for one in batch if one["MessageId"] not in kept]
            for first in range(0, 0 if result.failed else len(done), RECEIVE_MAX):
                entries = [
                    {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                    for place, message in enumerate(done[first : first + RECEIVE_MAX])
                ]
                self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)  # type: ignore[arg-type]
        finally:
            self._slots.release()


def _bytes_of(batch: "list[MessageTypeDef]") -> int:
    return sum(len(message["Body"]) for message in batch)


def _record(message: "MessageTypeDef") -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "eventSource": "aws:sqs",
    }
