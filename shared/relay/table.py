"""A DynamoDB table of `pk` and `sk`, in plain values; reads are strongly consistent."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from relay.aws import AWS_ERRORS
from relay.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

# What a table's methods raise where AWS fails.
TABLE_ERRORS = (*AWS_ERRORS, Unavailable)

# DynamoDB's own limits per call.
_GET_MAX = 100
_WRITE_MAX = 25
_ATTEMPTS = 8
_BACKOFF_SECONDS = 0.05

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


class Table:
    def __init__(self, dynamodb: "DynamoDBClient", name: str) -> None:
        self._dynamodb = dynamodb
        self.name = name

    def get(self, pk: str, sk: str) -> Item | None:
        answer = self._dynamodb.get_item(TableName=self.name, Key=key(pk, sk), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def put(self, item: Item) -> None:
        self._dynamodb.put_item(TableName=self.name, Item=to_item(item))

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str = "",
        limit: int = 0,
        page_size: int = 0,
        newest: bool = False,
        attributes: Sequence[str] = (),
    ) -> Iterator[Item]:
        """The items of `pk` whose `sk` begins with `prefix`, in order, after `after`.

        At most `limit` items are read, where one is given, `page_size` with each call, and of each
        item only these `attributes`; `newest` reads from the end.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
            "ScanIndexForward": not newest,
            **_projection(attributes),
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        if after:
            request["ExclusiveStartKey"] = key(pk, after)
        left = limit
        while True:
            # Each call of a paginator would read as many as the first, and drop what is too many.
            if sizes := [size for size in (left, page_size) if size > 0]:
                request["Limit"] = min(sizes)
            page = self._dynamodb.query(**request)
            yield from map(from_item, page["Items"])
            left -= len(page["Items"])
            last = page.get("LastEvaluatedKey")
            if not last or (limit and left <= 0):
                return
            request["ExclusiveStartKey"] = last

    def count(self, pk: str, after: str = "") -> tuple[int, str]:
        """How many items one call finds after `after`, and the last one's `sk`; "" at the end."""
        start: Any = {"ExclusiveStartKey": key(pk, after)} if after else {}
        answer = self._dynamodb.query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            Select="COUNT",
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return answer["Count"], from_item(last)["sk"] if last else ""

    def get_all(
        self, keys: Sequence[tuple[str, str]], attributes: Sequence[str] = ()
    ) -> Iterator[Item]:
        """The items of these keys that are there, in no order; of each only these attributes."""
        for start in range(0, len(keys), _GET_MAX):
            batch = [key(*pair) for pair in keys[start : start + _GET_MAX]]
            found = get_batch(self._dynamodb, {self.name: batch}, attributes)
            yield from (item for _, item in found)

    def write_all(self, puts: Iterable[Item] = (), deletes: Iterable[tuple[str, str]] = ()) -> None:
        """Put and delete without condition; raises Unavailable with part of it done."""
        requests: list[Any] = [{"PutRequest": {"Item": to_item(item)}} for item in puts]
        requests += [{"DeleteRequest": {"Key": key(*pair)}} for pair in deletes]
        for start in range(0, len(requests), _WRITE_MAX):
            self._write_batch(requests[start : start + _WRITE_MAX])

    def _write_batch(self, requests: list[Any]) -> None:
        for attempt in range(_ATTEMPTS):
            answer = self._dynamodb.batch_write_item(RequestItems={self.name: requests})
            requests = list(answer.get("UnprocessedItems", {}).get(self.name, []))
            if not requests:
                return
            back_off(attempt)
        raise Unavailable("The table could not be written; try again.")


def get_batch(
    dynamodb: "DynamoDBClient", keys: Mapping[str, Sequence[Any]], attributes: Sequence[str] = ()
) -> Iterator[tuple[str, Item]]:
    """The items of these keys by table, a hundred in all at most: (table, item), in no order."""
    wanted: dict[str, Any] = {
        table: {"Keys": list(each), "ConsistentRead": True, **_projection(attributes)}
        for table, each in keys.items()
    }
    for attempt in range(_ATTEMPTS):
        answer = dynamodb.batch_get_item(RequestItems=wanted)
        for table, items in answer["Responses"].items():
            yield from ((table, from_item(item)) for item in items)
        wanted = dict(answer.get("UnprocessedKeys", {}))
        if not wanted:
            return
        back_off(attempt)
    raise Unavailable("The table could not be read; try again.")


def _projection(attributes: Sequence[str]) -> dict[str, Any]:
    """Names stand in an expression as #0, #1, …, since some are DynamoDB's own words."""
    if not attributes:
        return {}
    names = {f"#{number}": name for number, name in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def key(pk: str, sk: str) -> dict[str, Any]:
    return to_item({"pk": pk, "sk": sk})


def back_off(attempt: int) -> None:
    """Wait a random time that grows with the attempt: 50 ms at most at first, 6 s at the eighth."""
    time.sleep(random.uniform(0, _BACKOFF_SECONDS * 2**attempt))  # noqa: S311


def to_item(values: dict[str, Any]) -> dict[str, Any]:
    """A DynamoDB item of plain values; None is left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of a DynamoDB item; numbers are Decimal, bytes are bytes."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    # Nearly all are of these two; boto3's serializer asks each for a dozen types.
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int:
        return {"N": str(value)}
    return dict(_serializer.serialize(value))


def _plain(typed: Any) -> Any:
    if "S" in typed:
        return typed["S"]
    value = _deserializer.deserialize(typed)
    # The published types of boto3 don't know that a Binary has a value.
    return value.value if isinstance(value, Binary) else value  # type: ignore[attr-defined]
