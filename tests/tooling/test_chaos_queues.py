"""The chaos run's queues give the functions what SQS does."""

from random import Random

import boto3
import pytest
from moto import mock_aws

from infra.chaos.queues import Queue, Queued
from infra.harness.boundary import DUE
from infra.harness.clock import Clock


@pytest.mark.usefixtures("credentials")
def test_a_record_names_the_group_of_its_message() -> None:
    with mock_aws():
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="queue")["QueueUrl"]
        sqs.send_message(
            QueueUrl=url,
            MessageBody="a",
            MessageGroupId="payments",
            MessageAttributes={DUE: {"DataType": "Number", "StringValue": "0"}},
        )
        queue = Queue("SubmissionsQueue", url, Clock(), Random(1))  # noqa: S311
        queue.collect(sqs)
        [message] = queue.receive(queue.visible())
        assert message.record["attributes"] == {
            "ApproximateReceiveCount": "1",
            "MessageGroupId": "payments",
        }


@pytest.mark.parametrize(("disturbed", "by_itself"), [(5, False), (4, True)])
def test_a_dead_letter_is_explained_if_the_run_disturbed_each_of_its_receives(
    disturbed: int, by_itself: bool
) -> None:
    queue = Queue("ReplaysQueue", "", Clock(), Random(1), duplicate_rate=1)  # noqa: S311
    message = Queued("1", "{}", "", due=0)
    queue.messages["1"] = message
    for receive in range(5):
        assert queue.receive([message]) == [message]
        if receive < disturbed:
            queue.delete([message])
    assert queue.receive([message]) == []
    assert queue.dead == [message]
    assert queue.dead_by_themselves == ([message] if by_itself else [])
