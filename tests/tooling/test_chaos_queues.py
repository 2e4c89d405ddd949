"""The chaos run's queues give the functions what SQS does."""

from random import Random

import boto3
import pytest
from moto import mock_aws

from infra.chaos.queues import Queue
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
