"""The harness's event source collects, invokes and deletes as Lambda's does."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from infra.harness.event_source import EventSource
from infra.harness.invocation import InvocationResult
from infra.lambdas.template import event_source_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

PROPERTIES = {"BatchSize": 10, "ScalingConfig": {"MaximumConcurrency": 2}}
PATIENCE = 20


class Function:
    """Notes the bodies that it is invoked with; fails those in `bad` of the batch, or all."""

    def __init__(self, expected: int, bad: str = "", raises: bool = False) -> None:
        self.batches: list[list[str]] = []
        self.records: list[list[dict[str, Any]]] = []
        self.done = threading.Event()
        self._expected = expected
        self._bad = bad
        self._raises = raises

    def __call__(self, event: dict[str, Any]) -> InvocationResult:
        records = event["Records"]
        self.records.append(records)
        self.batches.append([record["body"] for record in records])
        if sum(map(len, self.batches)) >= self._expected:
            self.done.set()
        failures = [{"itemIdentifier": r["messageId"]} for r in records if r["body"] == self._bad]
        error = "ValueError" if self._raises else ""
        return InvocationResult({"batchItemFailures": failures}, error)


@pytest.fixture
def sqs() -> Iterator["SQSClient"]:
    with mock_aws():
        yield boto3.Session("test", "test", region_name="eu-west-1").client("sqs")


def polled(sqs: "SQSClient", function: Function, bodies: list[str], **more: Any) -> EventSource:
    """Sends these bodies, polls until the function has them, and returns the stopped source."""
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    source = EventSource(sqs, queue, PROPERTIES | more, function)
    source.start()
    assert function.done.wait(PATIENCE)
    source.stop()
    return source


def left(sqs: "SQSClient") -> int:
    """The messages in the queue, visible or not."""
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(map(int, found.values()))


def test_processed_messages_are_deleted_and_failed_ones_stay(sqs: "SQSClient") -> None:
    bodies = [str(number) for number in range(25)]
    function = Function(25, bad="7")
    source = polled(sqs, function, bodies)
    assert sorted(body for batch in function.batches for body in batch) == sorted(bodies)
    assert max(source.invoked) <= 10
    assert left(sqs) == 1


def test_a_failed_invocation_deletes_nothing(sqs: "SQSClient") -> None:
    source = polled(sqs, Function(3, raises=True), ["a", "b", "c"])
    assert set(source.errors) == {"ValueError"}
    assert left(sqs) == 3


def test_a_record_names_the_group_of_its_message(sqs: "SQSClient") -> None:
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="a", MessageGroupId="payments")
    function = Function(1)
    source = EventSource(sqs, queue, PROPERTIES, function)
    source.start()
    assert function.done.wait(PATIENCE)
    source.stop()
    [[record]] = function.records
    attributes = dict(record["attributes"])
    assert attributes.pop("SentTimestamp")
    assert attributes == {
        "ApproximateReceiveCount": "1",
        "MessageGroupId": "payments",
    }


def test_a_window_collects_more_than_one_receive(sqs: "SQSClient") -> None:
    function = Function(60)
    more = {"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 1}
    polled(sqs, function, [str(number) for number in range(60)], **more)
    assert len(function.batches) <= 5


def test_the_properties_are_the_templates_with_the_parameters_defaults() -> None:
    found = event_source_of("submitter")
    assert found["BatchSize"] == 1000
    assert isinstance(found["MaximumBatchingWindowInSeconds"], int)
    assert isinstance(found["ScalingConfig"]["MaximumConcurrency"], int)
