"""The emulated AWS that the tests share: fast, and empty at the start of each."""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.aws import Aws
from tests.support.quick_aws import pooled_clients

QUEUES = ("SUBMISSIONS_QUEUE", "SUBMISSIONS_DEAD_LETTERS", "REPLAYS_QUEUE", "NOTICES_QUEUE")


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_starts_with_empty_stores(aws: Aws, turn: str) -> None:
    tables = aws.dynamodb.list_tables()["TableNames"]
    assert len(tables) == 4
    for table in tables:
        assert aws.dynamodb.scan(TableName=table)["Items"] == []
        aws.dynamodb.put_item(TableName=table, Item={"pk": {"S": turn}, "sk": {"S": turn}})
    for queue in QUEUES:
        assert "Messages" not in aws.sqs.receive_message(QueueUrl=aws.environment[queue])
        aws.sqs.send_message(QueueUrl=aws.environment[queue], MessageBody=turn)


def test_a_value_of_any_type_is_read_back_as_written(aws: Aws) -> None:
    values: dict[str, Any] = {
        "text": {"S": "é"},
        "number": {"N": "-1.5"},
        "bytes": {"B": b"\x00\xff"},
        "flag": {"BOOL": False},
        "nothing": {"NULL": True},
        "texts": {"SS": ["a", "b"]},
        "numbers": {"NS": ["1", "2"]},
        "chunks": {"BS": [b"\x01", b"\x02"]},
        "list": {"L": [{"M": {"inner": {"B": b"\x03"}}}, {"L": []}]},
        "map": {"M": {}},
    }
    key = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    aws.dynamodb.put_item(TableName="RecordTable", Item=key | values)

    assert aws.dynamodb.get_item(TableName="RecordTable", Key=key)["Item"] == key | values


def test_a_client_is_created_once_unless_its_events_changed() -> None:
    with mock_aws():
        with pooled_clients():
            untouched, heard = boto3.client("sqs"), boto3.client("sqs")
            heard.meta.events.register("before-call.sqs", lambda **_: None)
        with pooled_clients():
            later = [boto3.client("sqs") for _ in range(2)]

    assert untouched is not heard
    assert untouched in later
    assert heard not in later
