"""Writing many items at once, where a newer one that is already there stays."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from relay.aws import from_item, to_item
from relay.errors import Unavailable
from relay.table import Item, back_off

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB's limits for a transaction are 100 items and 4 MB; the bytes leave room for what an
# item weighs beside its values.
TRANSACTION_ITEMS_MAX = 100
TRANSACTION_BYTES_MAX = 3_000_000
_ATTEMPTS = 8


def put_newest(
    dynamodb: "DynamoDBClient",
    table: str,
    items: Sequence[Item],
    replaces: str,
    size_of: Callable[[Item], int],
) -> list[tuple[Item, Item]]:
    """Put each item unless one is there that it doesn't replace: (refused, the one there).

    `replaces` compares the stored `seq` with the new one, as `seq < :seq`. Items must differ in
    their keys. Raises Unavailable, with part of the items written, where DynamoDB keeps refusing:
    the call can be repeated as it is.
    """
    refused: list[tuple[Item, Item]] = []
    for chunk in chunked(items, TRANSACTION_ITEMS_MAX, TRANSACTION_BYTES_MAX, size_of):
        refused += _put_chunk(dynamodb, table, chunk, replaces)
    return refused


def chunked(
    items: Sequence[Item], count_max: int, bytes_max: int, size_of: Callable[[Item], int]
) -> Iterator[list[Item]]:
    """The items in order, in chunks within both limits; an item over the bytes stands alone."""
    chunk: list[Item] = []
    chunk_bytes = 0
    for item in items:
        size = size_of(item)
        if chunk and (len(chunk) == count_max or chunk_bytes + size > bytes_max):
            yield chunk
            chunk, chunk_bytes = [], 0
        chunk.append(item)
        chunk_bytes += size
    if chunk:
        yield chunk


def _put_chunk(
    dynamodb: "DynamoDBClient", table: str, chunk: list[Item], replaces: str
) -> list[tuple[Item, Item]]:
    refused: list[tuple[Item, Item]] = []
    for attempt in range(_ATTEMPTS):
        actions: list[Any] = [{"Put": _conditional_put(table, item, replaces)} for item in chunk]
        try:
            dynamodb.transact_write_items(TransactItems=actions)
        except dynamodb.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
        else:
            return refused
        found = [
            (item, from_item(reason["Item"]))
            for item, reason in zip(chunk, reasons, strict=True)
            if reason.get("Code") == "ConditionalCheckFailed"
        ]
        refused += found
        keys = {(item["pk"], item["sk"]) for item, _ in found}
        chunk = [item for item in chunk if (item["pk"], item["sk"]) not in keys]
        if not chunk:
            return refused
        if not found:
            # Another writer holds one of the items, or the table is throttled.
            back_off(attempt)
    raise Unavailable("The record could not be written; try again.")


def _conditional_put(table: str, item: Item, replaces: str) -> dict[str, Any]:
    return {
        "TableName": table,
        "Item": to_item(item),
        "ConditionExpression": f"attribute_not_exists(pk) OR {replaces}",
        "ExpressionAttributeValues": {":seq": {"N": str(item["seq"])}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
