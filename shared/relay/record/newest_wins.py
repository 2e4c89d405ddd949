"""Writing many items at once, where a newer one that is already there stays."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic_core

from relay.aws import from_item, to_item
from relay.errors import Unavailable
from relay.table import Item, back_off, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB's limits for a transaction are 100 items and 4 MB; the bytes leave room for what an
# item weighs beside its values.
TRANSACTION_ITEMS_MAX = 100
TRANSACTION_BYTES_MAX = 3_000_000
_ATTEMPTS = 8

ChangeT = TypeVar("ChangeT")


@dataclass(frozen=True, slots=True)
class Write:
    """An item as it shall be: a value of None is removed, and `at_first` only set where missing.

    `against` are values that the condition compares with, beside the new `seq`.
    """

    pk: str
    sk: str
    values: Mapping[str, Any]
    at_first: Mapping[str, Any] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """In bytes, rather more than less."""
        written = pydantic_core.to_json([self.values, self.at_first])
        return len(written) + len(self.pk.encode()) + len(self.sk.encode())


def write_newest(
    dynamodb: "DynamoDBClient", table: str, writes: Sequence[Write], replaces: str
) -> list[tuple[Write, Item]]:
    """Write each item unless one is there that it doesn't replace: (refused, the one there).

    `replaces` is the condition on the item that is there, such as `seq < :seq`. Writes must differ
    in their keys. Raises Unavailable, with part of them done, where DynamoDB keeps refusing: the
    call can be repeated as it is.
    """
    refused: list[tuple[Write, Item]] = []
    for chunk in chunked(writes, TRANSACTION_ITEMS_MAX, TRANSACTION_BYTES_MAX, _size):
        refused += transact(
            dynamodb, chunk, lambda write: {"Update": _update(table, write, replaces)}
        )
    return refused


def chunked(
    writes: Sequence[Write], count_max: int, bytes_max: int, size_of: Callable[[Write], int]
) -> Iterator[list[Write]]:
    """The writes in order, in chunks within both limits; one over the bytes stands alone."""
    chunk: list[Write] = []
    chunk_bytes = 0
    for write in writes:
        size = size_of(write)
        if chunk and (len(chunk) == count_max or chunk_bytes + size > bytes_max):
            yield chunk
            chunk, chunk_bytes = [], 0
        chunk.append(write)
        chunk_bytes += size
    if chunk:
        yield chunk


def transact(
    dynamodb: "DynamoDBClient", chunk: Sequence[ChangeT], action: Callable[[ChangeT], Any]
) -> list[tuple[ChangeT, Item]]:
    """All of these changes but those whose own condition fails: (refused, the item there).

    Raises Unavailable, with none of them done, where DynamoDB keeps refusing.
    """
    refused: list[tuple[ChangeT, Item]] = []
    for attempt in range(_ATTEMPTS):
        actions = [action(change) for change in chunk]
        try:
            dynamodb.transact_write_items(TransactItems=actions)
        except dynamodb.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
        else:
            return refused
        failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
        found = [
            (change, from_item(reason.get("Item", {})))
            for change, reason, fails in zip(chunk, reasons, failed, strict=True)
            if fails
        ]
        refused += found
        chunk = [change for change, fails in zip(chunk, failed, strict=True) if not fails]
        if not chunk:
            return refused
        if not found:
            # Another writer holds one of the items, or the table is throttled.
            back_off(attempt)
    raise Unavailable("The record could not be written; try again.")


def _update(table: str, write: Write, replaces: str) -> dict[str, Any]:
    """Names stand in the expression as #0, #1, …, since some are DynamoDB's own words."""
    names = {f"#{number}": name for number, name in enumerate((*write.values, *write.at_first))}
    places = {name: place for place, name in names.items()}
    given = {name: value for name, value in write.values.items() if value is not None}
    sets = [f"{places[name]} = :{places[name][1:]}" for name in given]
    sets += [
        f"{places[name]} = if_not_exists({places[name]}, :{places[name][1:]})"
        for name in write.at_first
    ]
    removed = [places[name] for name in write.values if name not in given]
    values = {
        f":{places[name][1:]}": value for name, value in (given | dict(write.at_first)).items()
    }
    values[":seq"] = write.values["seq"]
    values |= {f":{name}": value for name, value in write.against.items()}
    return {
        "TableName": table,
        "Key": key(write.pk, write.sk),
        "UpdateExpression": f"SET {', '.join(sets)}"
        + (f" REMOVE {', '.join(removed)}" if removed else ""),
        "ConditionExpression": f"attribute_not_exists(pk) OR ({replaces})",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_item(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _size(write: Write) -> int:
    return write.size
