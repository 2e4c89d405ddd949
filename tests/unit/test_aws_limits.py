"""The limits that every request of the tests must respect: the largest passes, one more is
refused.
"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.aws_limits import (
    ITEM_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    LimitPassed,
    aws_limits,
    check,
    item_bytes,
)

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
MIB = 1024 * 1024


def message(body: str = "{}", **fields: Any) -> dict[str, Any]:
    return {"QueueUrl": "https://queue", "MessageBody": body} | fields


def attribute(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def batch(count: int, body: str = "{}") -> dict[str, Any]:
    return {"Entries": [message(body, Id=f"entry-{number}") for number in range(count)]}


def put(**item: Any) -> dict[str, Any]:
    return {"TableName": "table", "Item": KEY | item}


def number(text: str) -> dict[str, Any]:
    return put(n={"N": text})


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": ""}
    for _ in range(levels - 1):
        value = {"L": [value]}
    return put(n=value)


def text(size: int) -> dict[str, Any]:
    return put(t={"S": "x" * size})


def get(pk: str = "p", sk: str = "s") -> dict[str, Any]:
    return {"TableName": "table", "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}


def keys(count: int) -> list[Any]:
    return [{"pk": {"S": "p"}, "sk": {"S": str(one)}} for one in range(count)]


def batch_get(keys: list[Any]) -> dict[str, Any]:
    return {"RequestItems": {"table": {"Keys": keys}}}


def batch_write(keys: list[Any], size: int = 0) -> dict[str, Any]:
    writes = [{"PutRequest": {"Item": key | {"t": {"S": "x" * size}}}} for key in keys]
    return {"RequestItems": {"table": writes}}


def transaction(keys: list[Any], size: int = 0) -> dict[str, Any]:
    puts = [{"Put": {"TableName": "table", "Item": key | {"t": {"S": "x" * size}}}} for key in keys]
    return {"TransactItems": puts}


def update(expression: str, size: int = 1) -> dict[str, Any]:
    return get() | {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {"#0": "name"},
        "ExpressionAttributeValues": {":0": {"S": "x" * size}},
    }


def query(pk: str = "p", prefix: str = "s") -> dict[str, Any]:
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
    }


def context(**context: str) -> dict[str, Any]:
    return {"EncryptionContext": context}


SET = "SET #0 = :0"
FIRE = "\U0001f525"
LARGEST: list[tuple[str, str, Any, Any, str]] = [
    # service, operation, what AWS accepts, what it refuses, the limit
    ("sqs", "SendMessage", message("x" * MIB), message("x" * (MIB + 1)), "bytes of a message"),
    (
        "sqs",
        "SendMessage",
        message("x" * (MIB - 9), MessageAttributes={"n": attribute("ab")}),
        message("x" * (MIB - 8), MessageAttributes={"n": attribute("ab")}),
        "bytes of a message",
    ),
    ("sqs", "SendMessage", message("\ufffd\t"), message("\0"), "characters of a message"),
    ("sqs", "SendMessage", message(FIRE), message(""), "characters of a message"),
    (
        "sqs",
        "SendMessage",
        message(MessageGroupId="~" * 128),
        message(MessageGroupId="~" * 129),
        "MessageGroupId",
    ),
    (
        "sqs",
        "SendMessage",
        message(MessageGroupId="a-b_c.d~e"),
        message(MessageGroupId="a b"),
        "MessageGroupId",
    ),
    (
        "sqs",
        "SendMessage",
        message(DelaySeconds=900),
        message(DelaySeconds=901),
        "DelaySeconds",
    ),
    (
        "sqs",
        "SendMessage",
        message(MessageAttributes={f"n{one}": attribute("a") for one in range(10)}),
        message(MessageAttributes={f"n{one}": attribute("a") for one in range(11)}),
        "attributes of a message",
    ),
    (
        "sqs",
        "SendMessage",
        message(MessageAttributes={"reason": attribute("a\n")}),
        message(MessageAttributes={"reason": attribute("\x01")}),
        "value of a message's attribute",
    ),
    (
        "sqs",
        "SendMessage",
        message(MessageAttributes={"a.b": attribute("a")}),
        message(MessageAttributes={"a..b": attribute("a")}),
        "name of a message's attribute",
    ),
    ("sqs", "SendMessageBatch", batch(10), batch(11), "entries of a batch"),
    (
        "sqs",
        "SendMessageBatch",
        batch(4, "x" * (MIB // 4)),
        batch(5, "x" * (MIB // 4)),
        "bytes of a batch of messages",
    ),
    (
        "sqs",
        "DeleteMessageBatch",
        {"Entries": [{"Id": "a" * 80}]},
        {"Entries": [{"Id": "a" * 81}]},
        "id of an entry",
    ),
    (
        "sqs",
        "DeleteMessageBatch",
        {"Entries": [{"Id": "a"}, {"Id": "b"}]},
        {"Entries": [{"Id": "a"}, {"Id": "a"}]},
        "ids of a batch differ",
    ),
    (
        "sqs",
        "ReceiveMessage",
        {"MaxNumberOfMessages": 10},
        {"MaxNumberOfMessages": 11},
        "MaxNumberOfMessages",
    ),
    (
        "sqs",
        "ChangeMessageVisibility",
        {"VisibilityTimeout": 43_200},
        {"VisibilityTimeout": 43_201},
        "VisibilityTimeout",
    ),
    (
        "dynamodb",
        "PutItem",
        text(ITEM_BYTES_MAX - 7),
        text(ITEM_BYTES_MAX - 6),
        "bytes of an item",
    ),
    ("dynamodb", "PutItem", number("9" * 38), number("9" * 39), "digits of a number"),
    ("dynamodb", "PutItem", number("1e125"), number("1e126"), "magnitude of a number"),
    ("dynamodb", "PutItem", nested(32), nested(33), "levels of nesting"),
    ("dynamodb", "PutItem", put(s={"SS": ["a"]}), put(s={"SS": []}), "an empty set"),
    ("dynamodb", "GetItem", get("p" * 2048), get("p" * 2049), "bytes of a pk"),
    ("dynamodb", "GetItem", get(sk=FIRE * 256), get(sk=FIRE * 256 + "s"), "bytes of a sk"),
    ("dynamodb", "DeleteItem", get(sk=" "), get(sk=""), "an empty sk"),
    ("dynamodb", "Query", query("p" * 2048), query("p" * 2049), "bytes of a pk"),
    ("dynamodb", "Query", query(prefix="s" * 1024), query(prefix="s" * 1025), "bytes of a sk"),
    ("dynamodb", "Scan", {"Limit": 1}, {"Limit": 0}, "Limit"),
    (
        "dynamodb",
        "UpdateItem",
        update(f"{SET:4096}"),
        update(f"{SET:4097}"),
        "bytes of an expression",
    ),
    (
        "dynamodb",
        "UpdateItem",
        update(SET + "+:0" * 299),
        update(SET + "+:0" * 300),
        "operators of an expression",
    ),
    (
        "dynamodb",
        "UpdateItem",
        update(SET, ITEM_BYTES_MAX - 6),
        update(SET, ITEM_BYTES_MAX - 5),
        "bytes of an item",
    ),
    (
        "dynamodb",
        "UpdateItem",
        update(SET),
        update("SET #0 = :1"),
        "placeholders are used, and those used are given",
    ),
    (
        "dynamodb",
        "BatchGetItem",
        batch_get(keys(100)),
        batch_get(keys(101)),
        "keys of a BatchGetItem",
    ),
    (
        "dynamodb",
        "BatchGetItem",
        batch_get(keys(2)),
        batch_get(keys(1) * 2),
        "keys of a BatchGetItem differ",
    ),
    (
        "dynamodb",
        "BatchWriteItem",
        batch_write(keys(25)),
        batch_write(keys(26)),
        "writes of a BatchWriteItem",
    ),
    (
        "dynamodb",
        "BatchWriteItem",
        batch_write(keys(2)),
        batch_write(keys(1) * 2),
        "keys of a BatchWriteItem differ",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        transaction(keys(100)),
        transaction(keys(101)),
        "actions of a transaction",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        transaction(keys(2)),
        transaction(keys(1) * 2),
        "items of a transaction differ",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        transaction(keys(10), 400_000),
        transaction(keys(11), 400_000),
        "bytes of a transaction",
    ),
    (
        "kms",
        "GenerateDataKey",
        context(tenantId="x" * 8184),
        context(tenantId="x" * 8185),
        "bytes of an encryption context",
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "taken", "refused", "limit"),
    LARGEST,
    ids=[f"{operation}: {limit}" for _, operation, _, _, limit in LARGEST],
)
def test_the_largest_request_passes_and_one_more_is_refused_by_name(
    service: str, operation: str, taken: Any, refused: Any, limit: str
) -> None:
    check(service, operation, taken)

    with pytest.raises(LimitPassed) as refusal:
        check(service, operation, refused)
    assert str(refusal.value) == limit


def test_an_item_is_measured_as_dynamodb_does() -> None:
    item = {
        "pk": {"S": FIRE},
        "n": {"N": "-12.50"},
        "b": {"B": "AAAA"},
        "l": {"L": [{"BOOL": True}]},
        "m": {"M": {"ab": {"NULL": True}}},
    }

    assert item_bytes(item) == (2 + 4) + (1 + 4) + (1 + 3) + (1 + 3 + 2) + (1 + 3 + 1 + 2 + 1)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(), aws_limits():
        sqs, dynamodb = (boto3.client(name, "eu-west-1") for name in ("sqs", "dynamodb"))
        yield sqs, dynamodb


def test_every_clients_requests_are_checked_beyond_the_emulators_limits(
    clients: tuple[Any, Any],
) -> None:
    sqs, dynamodb = clients
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    sqs.send_message(QueueUrl=queue, MessageBody="x" * MESSAGE_BYTES_MAX)
    with pytest.raises(LimitPassed):
        sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="g" * 129)
    with pytest.raises(LimitPassed):
        dynamodb.get_item(TableName="table", Key={"pk": {"S": "p" * 2049}})


def test_an_exceeded_limit_is_not_caught_as_an_aws_failure() -> None:
    assert not issubclass(LimitPassed, Exception)
