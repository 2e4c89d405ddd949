"""Writing many items at once, where a newer one that is already there stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from relay.aws import to_item
from relay.record.transactions import Transactions
from relay.table import Item, key


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
