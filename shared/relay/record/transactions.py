"""Conditional writes in DynamoDB transactions, serialized without botocore.

botocore serializes a request value by value along its model of the API. For a hundred actions, that
is most of the CPU time of a delivery. So botocore serializes the request without its actions, and
Relay inserts them before the request is signed. Everything else is botocore's; if a version of it
does not work this way, it serializes the actions, too.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pydantic_core
from botocore.exceptions import ClientError

from relay.aws import side_by_side
from relay.errors import Unavailable
from relay.table import Item, back_off, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# DynamoDB's limits for a transaction are 100 items and 4 MB. The bytes leave room for an item's
# overhead.
TRANSACTION_ITEMS_MAX = 100
TRANSACTION_BYTES_MAX = 3_000_000
# How long a throttled transaction is repeated, in seconds, unless the caller says otherwise.
RETRY_SECONDS = 10.0
# The longest pause before a throttled transaction is repeated, in seconds.
_PAUSE_SECONDS = 4.0
# The errors of a throttled request as a whole. Those of its items are reasons of its cancellation.
_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
}
_READY = "relay_transact_items"

ChangeT = TypeVar("ChangeT")


@dataclass(frozen=True, slots=True)
class _Ready(Generic[ChangeT]):
    """A change, with the partition key and the JSON of its action."""

    change: ChangeT
    pk: str
    json: bytes


class Transactions:
    """Writes in transactions of at most 100 items. Registers event handlers with the client."""

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
        self,
        changes: Iterable[ChangeT],
        action: Callable[[ChangeT], dict[str, Any]],
        seconds: float = RETRY_SECONDS,
    ) -> list[tuple[ChangeT, Item]]:
        """Write these changes, except those whose own condition fails; transactions side by side.

        Returns the refused ones as (change, existing item). `action` returns the Update, Put or
        Delete of a change, in DynamoDB's JSON without binary values. Throttled transactions are
        repeated until `seconds` have passed. Raises AWS_ERRORS, or Unavailable if DynamoDB still
        refuses one; part of the changes may then be written.
        """
        ends = time.monotonic() + seconds
        chunks = _chunks(changes, action)
        refused = side_by_side(partial(self._write, action=action, ends=ends), chunks)
        return list(chain.from_iterable(refused))

    def _write(
        self,
        chunk: list[_Ready[ChangeT]],
        action: Callable[[ChangeT], dict[str, Any]],
        ends: float,
        attempt: int = 0,
    ) -> list[tuple[ChangeT, Item]]:
        """One transaction, without the changes that are refused."""
        refused: list[tuple[ChangeT, Item]] = []
        while chunk:
            reasons = self._reasons(chunk, action)
            if not reasons:
                return refused
            failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
            refused += [
                (one.change, from_item(reason.get("Item", {})))
                for one, reason, fails in zip(chunk, reasons, failed, strict=True)
                if fails
            ]
            chunk = [one for one, fails in zip(chunk, failed, strict=True) if not fails]
            if any(failed):
                continue
            # Another writer holds one of the items, or its partition is throttled.
            if time.monotonic() > ends:
                raise Unavailable("The record could not be written; try again.")
            back_off(attempt, _PAUSE_SECONDS)
            attempt += 1
            # What a cancelled transaction prepared is paid: in one transaction, a throttled
            # partition would use up the others, and many writers would keep all of them throttled.
            parts = [list(part) for _, part in groupby(chunk, key=lambda one: one.pk)]
            if len(parts) > 1:
                for part in parts:
                    refused += self._write(part, action, ends, attempt)
                return refused
        return refused

    def _reasons(
        self, chunk: list[_Ready[ChangeT]], action: Callable[[ChangeT], dict[str, Any]]
    ) -> list[Any]:
        """Why DynamoDB cancelled the transaction, for each change; empty if it was written."""
        try:
            self._send(chunk, action)
        except ClientError as error:
            # Not by botocore's class for it: each of several threads may have made its own.
            if _code(error) == "TransactionCanceledException":
                return list(error.response["CancellationReasons"])
            if _code(error) in _THROTTLED:
                return [{}] * len(chunk)
            raise
        return []

    def _send(
        self, chunk: list[_Ready[ChangeT]], action: Callable[[ChangeT], dict[str, Any]]
    ) -> None:
        write = self._dynamodb.transact_write_items
        try:
            write(TransactItems=_SetAside(b",".join(one.json for one in chunk)))
        except (_NotInserted, ClientError) as error:
            if isinstance(error, ClientError) and _code(error) != "ValidationException":
                raise
            # This botocore does not call the handlers, or not with what they expect.
            actions: Any = [action(one.change) for one in chunk]
            write(TransactItems=actions)


def _chunks(
    changes: Iterable[ChangeT], action: Callable[[ChangeT], dict[str, Any]]
) -> Iterator[list[_Ready[ChangeT]]]:
    """The changes of each transaction."""
    chunk: list[_Ready[ChangeT]] = []
    size = 0
    for change in changes:
        ready = _ready(change, action(change))
        if chunk and (
            len(chunk) == TRANSACTION_ITEMS_MAX or size + len(ready.json) > TRANSACTION_BYTES_MAX
        ):
            yield chunk
            chunk, size = [], 0
        chunk.append(ready)
        size += len(ready.json)
    if chunk:
        yield chunk


def _ready(change: ChangeT, action: dict[str, Any]) -> _Ready[ChangeT]:
    [request] = action.values()
    place = request["Item"] if "Item" in request else request["Key"]
    return _Ready(change, place["pk"]["S"], pydantic_core.to_json(action))


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


class _NotInserted(Exception):
    """botocore's request is not as expected."""


class _SetAside(list[Any]):
    """An empty action for botocore, which requires one; `_put_in_place` replaces it by `json`."""

    def __init__(self, json: bytes) -> None:
        super().__init__([{}])
        self.json = json


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    actions = params["TransactItems"]
    if isinstance(actions, _SetAside):
        context[_READY] = actions.json


def _put_in_place(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _READY not in context:
        return
    try:
        document = pydantic_core.from_json(params["body"])
        if document.pop("TransactItems") != [{}]:
            raise _NotInserted
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _NotInserted from error
    rest = pydantic_core.to_json(document)[1:-1]
    actions = b'"TransactItems":[' + context[_READY] + b"]"
    params["body"] = b"{" + (actions + b"," + rest if rest else actions) + b"}"


@dataclass(frozen=True, slots=True)
class Write:
    """An update of an item: None removes an attribute; `at_first` sets missing attributes only.

    `against` are values for the condition, besides the new `seq`.
    """

    pk: str
    sk: str
    values: Mapping[str, Any]
    at_first: Mapping[str, Any] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict)


def write_newest(
    transactions: Transactions,
    table: str,
    writes: Iterable[Write],
    replaces: str,
    seconds: float = RETRY_SECONDS,
) -> list[tuple[Write, Item]]:
    """Write each item, unless an existing one is newer; returns the refused as (write, existing).

    `replaces` is the condition that an existing item must meet, such as `seq < :seq`. The keys of
    the writes must differ. `seconds`, and what is raised, are as for `Transactions.write`; after an
    error, the call can be repeated.
    """
    condition = f"attribute_not_exists(pk) OR ({replaces})"
    # By partition, so that a throttled one cancels few of the transactions.
    ordered = sorted(writes, key=lambda write: write.pk)
    return transactions.write(
        ordered, lambda write: {"Update": _update(table, write, condition)}, seconds
    )


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
    """An update expression: its text, names by placeholder, and the placeholders of values."""

    text: str
    names: Mapping[str, str]
    values: Sequence[str]


@lru_cache(maxsize=128)
def _expression(
    given: tuple[str, ...], at_first: tuple[str, ...], removed: tuple[str, ...]
) -> _Expression:
    """Uses the placeholders #0, #1, … for names: some are reserved words of DynamoDB."""
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
