"""Transactions of DynamoDB whose actions are its own JSON already.

botocore writes a request by walking its model of the API value by value, which for a hundred
actions is most of the work of a delivery. So it writes the request without them, and they are put
into it before it is signed. All else about the call stays botocore's.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic_core

from relay.errors import Unavailable
from relay.table import Item, back_off, from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from relay.table import key, to_item

# DynamoDB's limits for a transaction are 100 items and 4 MB; the bytes leave room for what an
# item weighs beside its values.
TRANSACTION_ITEMS_MAX = 100
TRANSACTION_BYTES_MAX = 3_000_000
_ATTEMPTS = 8
_READY = "relay_transact_items"

ChangeT = TypeVar("ChangeT")


class Transactions:
    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self._dynamodb = dynamodb
        events = dynamodb.meta.events
        # Once per client, however many stores share it.
        events.register(
            "provide-client-params.dynamodb.TransactWriteItems", _set_aside, unique_id=f"{_READY}/1"
        )
        events.register(
            "before-call.dynamodb.TransactWriteItems", _put_in_place, unique_id=f"{_READY}/2"
        )

    def write(
        self, changes: Sequence[ChangeT], action: Callable[[ChangeT], dict[str, Any]]
    ) -> list[tuple[ChangeT, Item]]:
        """All of these changes but those whose own condition fails: (refused, the item there).

        `action` makes an Update or a Delete of each, in DynamoDB's JSON; its values hold no bytes.
        Raises Unavailable, with part of them done, where DynamoDB keeps refusing.
        """
        refused: list[tuple[ChangeT, Item]] = []
        chunk: list[tuple[ChangeT, bytes]] = []
        size = 0
        for change in changes:
            ready = pydantic_core.to_json(action(change))
            if chunk and (
                len(chunk) == TRANSACTION_ITEMS_MAX or size + len(ready) > TRANSACTION_BYTES_MAX
            ):
                refused += self._transact(chunk)
                chunk, size = [], 0
            chunk.append((change, ready))
            size += len(ready)
        return refused + self._transact(chunk) if chunk else refused

    def _transact(self, chunk: list[tuple[ChangeT, bytes]]) -> list[tuple[ChangeT, Item]]:
        refused: list[tuple[ChangeT, Item]] = []
        for attempt in range(_ATTEMPTS):
            try:
                self._dynamodb.transact_write_items(
                    TransactItems=_Ready(b",".join(ready for _, ready in chunk))
                )
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                reasons = error.response["CancellationReasons"]
            else:
                return refused
            failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
            found = [
                (change, from_item(reason.get("Item", {})))
                for (change, _), reason, fails in zip(chunk, reasons, failed, strict=True)
                if fails
            ]
            refused += found
            chunk = [one for one, fails in zip(chunk, failed, strict=True) if not fails]
            if not chunk:
                return refused
            if not found:
                # Another writer holds one of the items, or the table is throttled.
                back_off(attempt)
        raise Unavailable("The record could not be written; try again.")


class _Ready(list[Any]):
    """To botocore one empty action, as it asks for one at least; `json` is put in its place."""

    def __init__(self, json: bytes) -> None:
        super().__init__([{}])
        self.json = json


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    actions = params["TransactItems"]
    if isinstance(actions, _Ready):
        context[_READY] = actions.json


def _put_in_place(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _READY not in context:
        return
    document = pydantic_core.from_json(params["body"])
    del document["TransactItems"]
    rest = pydantic_core.to_json(document)[1:-1]
    actions = b'"TransactItems":[' + context[_READY] + b"]"
    params["body"] = b"{" + (actions + b"," + rest if rest else actions) + b"}"


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


def write_newest(
    transactions: Transactions, table: str, writes: Sequence[Write], replaces: str
) -> list[tuple[Write, Item]]:
    """Write each item unless one is there that it doesn't replace: (refused, the one there).

    `replaces` is the condition on the item that is there, such as `seq < :seq`. Writes must differ
    in their keys. Raises Unavailable, with part of them done, where DynamoDB keeps refusing: the
    call can be repeated as it is.
    """
    condition = f"attribute_not_exists(pk) OR ({replaces})"
    return transactions.write(writes, lambda write: {"Update": _update(table, write, condition)})


def _update(table: str, write: Write, condition: str) -> dict[str, Any]:
    given = {name: value for name, value in write.values.items() if value is not None}
    removed = tuple(name for name in write.values if name not in given)
    expression = _expression(tuple(given), tuple(write.at_first), removed)
    values = dict(zip(expression.values, (*given.values(), *write.at_first.values()), strict=True))
    values[":seq"] = write.values["seq"]
    values |= {f":{name}": value for name, value in write.against.items()}
    return {
        "TableName": table,
        "Key": key(write.pk, write.sk),
        "UpdateExpression": expression.text,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": expression.names,
        "ExpressionAttributeValues": to_item(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


@dataclass(frozen=True, slots=True)
class _Expression:
    """`names` are those that stand in the text, and `values` the places of what is written."""

    text: str
    names: Mapping[str, str]
    values: Sequence[str]


@lru_cache(maxsize=128)
def _expression(
    given: tuple[str, ...], at_first: tuple[str, ...], removed: tuple[str, ...]
) -> _Expression:
    """Names stand in the text as #0, #1, …, since some are DynamoDB's own words."""
    names = {f"#{number}": name for number, name in enumerate((*given, *at_first, *removed))}
    places = {name: place for place, name in names.items()}
    sets = [f"{places[name]} = :{places[name][1:]}" for name in given]
    sets += [
        f"{places[name]} = if_not_exists({places[name]}, :{places[name][1:]})" for name in at_first
    ]
    removes = [places[name] for name in removed]
    return _Expression(
        f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
        names,
        [f":{places[name][1:]}" for name in (*given, *at_first)],
    )
