"""A DynamoDB table with the keys `pk` and `sk`, in plain values. Reads are strongly consistent."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from relay.aws import AWS_ERRORS, side_by_side
from relay.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

# What the methods of `Table` raise when AWS fails.
TABLE_ERRORS = (*AWS_ERRORS, Unavailable)

# DynamoDB's limits per call.
_GET_MAX = 100
_WRITE_MAX = 25
# The fewest items that a call reads if it leaves some of them out.
_FILTERED_MIN = 100
# Items that are deleted at once, as batches side by side.
_DELETED_AT_ONCE = 200
_ATTEMPTS = 8
_BACKOFF_SECONDS = 0.05
_BACKOFF_MAX_SECONDS = 1.0

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


class Table:
    """Reads and writes items. Every method raises one of TABLE_ERRORS when AWS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", name: str) -> None:
        self._dynamodb = dynamodb
        self.name = name

    def get(self, pk: str, sk: str) -> Item | None:
        """The item of this key; None if there is none."""
        response = self._dynamodb.get_item(
            TableName=self.name, Key=key(pk, sk), ConsistentRead=True
        )
        return from_item(response["Item"]) if "Item" in response else None

    def put(self, item: Item) -> None:
        """Write the item, including `pk` and `sk`; replaces an existing item of its key."""
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
        without: Sequence[str] = (),
    ) -> Iterator[Item]:
        """The items of `pk` whose `sk` starts with `prefix`, in the order of `sk`.

        `after` is the `sk` after which to start, `limit` the most items to return, `page_size` the
        most items per call, `attributes` those to read of each item, and `without` those that it
        lacks. The defaults mean no restriction. `newest` reverses the order.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
            "ScanIndexForward": not newest,
            **_expressions(attributes, without),
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        if after:
            request["ExclusiveStartKey"] = key(pk, after)
        left, fewest = limit, 0
        while True:
            # boto3's paginator would request a full page each time, and drop the surplus.
            if sizes := [size for size in (left, page_size) if size > 0]:
                request["Limit"] = max(min(sizes), fewest)
            page = self._dynamodb.query(**request)
            found = page["Items"][: left if limit else None]
            yield from map(from_item, found)
            left -= len(found)
            if page["ScannedCount"] > page["Count"]:
                # Some lie among what is left out, where a low limit would find few, call by call.
                fewest = _FILTERED_MIN
            last = page.get("LastEvaluatedKey")
            if not last or (limit and left <= 0):
                return
            request["ExclusiveStartKey"] = last

    def count(self, pk: str, after: str = "", *, without: Sequence[str] = ()) -> tuple[int, str]:
        """How many items one call counts after `after`, and the last `sk`, or "" at the end.

        Items with one of the attributes `without` do not count.
        """
        start: Any = {"ExclusiveStartKey": key(pk, after)} if after else {}
        response = self._dynamodb.query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            Select="COUNT",
            **_expressions((), without),
            **start,
        )
        last = response.get("LastEvaluatedKey")
        return response["Count"], from_item(last)["sk"] if last else ""

    def page(self, pk: str, after: str, attributes: Sequence[str]) -> tuple[list[Item], str]:
        """The attributes of the items that one call reads after `after`, and the last `sk`, or ""
        at the end."""
        start: Any = {"ExclusiveStartKey": key(pk, after)} if after else {}
        response = self._dynamodb.query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            **_expressions(attributes),
            **start,
        )
        last = response.get("LastEvaluatedKey")
        items = [from_item(item) for item in response["Items"]]
        return items, from_item(last)["sk"] if last else ""

    def scan(
        self, after: Sequence[str], condition: str, values: Item, attributes: Sequence[str] = ()
    ) -> tuple[list[Item], tuple[str, ...]]:
        """The items that one call finds after the key `after`, and the key where it ended, or () at
        the end of the table: their keys, and these attributes. `condition` filters by the
        placeholders in `values`. It reads the whole table, so only for what no key leads to."""
        start: Any = {"ExclusiveStartKey": key(*after)} if after else {}
        response = self._dynamodb.scan(
            TableName=self.name,
            FilterExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
            **_expressions(("pk", "sk", *attributes)),
            **start,
        )
        found = [from_item(item) for item in response["Items"]]
        last = from_item(response.get("LastEvaluatedKey", {}))
        return found, (last["pk"], last["sk"]) if last else ()

    def delete_all(self, pk: str, prefix: str = "") -> Iterator[int]:
        """Delete the items of `pk` whose `sk` starts with `prefix`: yields how many, after each
        batch."""
        while found := list(
            self.query(pk, prefix, limit=_DELETED_AT_ONCE, attributes=("pk", "sk"))
        ):
            self.write_all(deletes=[(item["pk"], item["sk"]) for item in found])
            yield len(found)

    def get_all(
        self, keys: Sequence[tuple[str, str]], attributes: Sequence[str] = ()
    ) -> Iterator[Item]:
        """The existing items of these keys, in no order; with `attributes`, only these of each."""
        batches = [keys[start : start + _GET_MAX] for start in range(0, len(keys), _GET_MAX)]

        def found_in(batch: Sequence[tuple[str, str]]) -> list[Item]:
            wanted = {self.name: [key(*pair) for pair in batch]}
            return [item for _, item in get_batch(self._dynamodb, wanted, attributes)]

        return chain.from_iterable(side_by_side(found_in, batches))

    def write_all(self, puts: Iterable[Item] = (), deletes: Iterable[tuple[str, str]] = ()) -> None:
        """Put and delete items without condition. After an error, part of it may be done."""
        requests: list[Any] = [{"PutRequest": {"Item": to_item(item)}} for item in puts]
        requests += [{"DeleteRequest": {"Key": key(*pair)}} for pair in deletes]
        starts = range(0, len(requests), _WRITE_MAX)
        side_by_side(self._write_batch, (requests[start : start + _WRITE_MAX] for start in starts))

    def _write_batch(self, requests: list[Any]) -> None:
        for attempt in range(_ATTEMPTS):
            response = self._dynamodb.batch_write_item(RequestItems={self.name: requests})
            requests = list(response.get("UnprocessedItems", {}).get(self.name, []))
            if not requests:
                return
            back_off(attempt)
        raise Unavailable("The table could not be written; try again.")


def get_batch(
    dynamodb: "DynamoDBClient", keys: Mapping[str, Sequence[Any]], attributes: Sequence[str] = ()
) -> Iterator[tuple[str, Item]]:
    """The existing items of these keys, as (table, item), in no order.

    `keys` maps a table's name to keys in DynamoDB's JSON, at most 100 in all. Raises TABLE_ERRORS.
    """
    wanted: dict[str, Any] = {
        table: {"Keys": list(each), "ConsistentRead": True, **_expressions(attributes)}
        for table, each in keys.items()
    }
    for attempt in range(_ATTEMPTS):
        response = dynamodb.batch_get_item(RequestItems=wanted)
        for table, items in response["Responses"].items():
            yield from ((table, from_item(item)) for item in items)
        wanted = dict(response.get("UnprocessedKeys", {}))
        if not wanted:
            return
        back_off(attempt)
    raise Unavailable("The table could not be read; try again.")


def _expressions(attributes: Sequence[str], without: Sequence[str] = ()) -> dict[str, Any]:
    """Uses the placeholders #0, #1, … for names: some are reserved words of DynamoDB."""
    names = {
        f"#{number}": name for number, name in enumerate(dict.fromkeys((*attributes, *without)))
    }
    places = {name: place for place, name in names.items()}
    lacking = [f"attribute_not_exists({places[name]})" for name in without]
    expressions = {
        "ProjectionExpression": ", ".join(places[name] for name in attributes),
        "FilterExpression": " AND ".join(lacking),
        "ExpressionAttributeNames": names,
    }
    return {name: value for name, value in expressions.items() if value}


def key(pk: str, sk: str) -> dict[str, Any]:
    """The key in DynamoDB's JSON."""
    return to_item({"pk": pk, "sk": sk})


def back_off(attempt: int, most: float = _BACKOFF_MAX_SECONDS) -> None:
    """Sleep a random time: at most 50 ms for attempt 0, doubled with each attempt, up to `most`."""
    longest = min(_BACKOFF_SECONDS * 2**attempt, most)
    time.sleep(random.uniform(0, longest))  # noqa: S311


def to_item(values: dict[str, Any]) -> dict[str, Any]:
    """Plain values in DynamoDB's JSON, without those that are None."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's plain values. A number becomes a Decimal, and a binary value bytes."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    # Nearly all values have one of these types; boto3's serializer tests each for a dozen.
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
    # boto3's published types lack Binary.value.
    return value.value if isinstance(value, Binary) else value  # type: ignore[attr-defined]
