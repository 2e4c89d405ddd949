"""Transactions of the emulated DynamoDB, made fast for tests with thousands of items."""

import json
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WRITE_MAX = 25


def quick_transactions(*clients: "DynamoDBClient") -> None:
    """Write each transaction of these clients unconditionally.

    The emulated database copies its tables for every item of a transaction, so that a thousand
    items take half a minute. Only for tests that write all items in order.
    """
    for client in clients:
        write: Any = partial(_write, client)
        client.meta.events.register("before-call.dynamodb.TransactWriteItems", write)


def _write(
    client: "DynamoDBClient", params: dict[str, Any], **_: Any
) -> tuple[SimpleNamespace, Any]:
    """The response that botocore reads, as nothing is sent."""
    actions = json.loads(params["body"])["TransactItems"]
    for start in range(0, len(actions), _WRITE_MAX):
        requests = [_request(*one.popitem()) for one in actions[start : start + _WRITE_MAX]]
        tables = {table for table, _ in requests}
        client.batch_write_item(
            RequestItems={
                table: [request for name, request in requests if name == table] for table in tables
            }
        )
    return SimpleNamespace(status_code=200), {}


def _request(action: str, details: dict[str, Any]) -> tuple[str, Any]:
    table = details["TableName"]
    if action == "Delete":
        return table, {"DeleteRequest": {"Key": details["Key"]}}
    if action == "Put":
        return table, {"PutRequest": {"Item": details["Item"]}}
    # Its values are numbered like its names (see `relay.record.transactions`).
    names, values = details["ExpressionAttributeNames"], details["ExpressionAttributeValues"]
    item = {
        name: values[f":{place[1:]}"] for place, name in names.items() if f":{place[1:]}" in values
    }
    return table, {"PutRequest": {"Item": details["Key"] | item}}
