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
    names, expression = _expression(tuple(given), tuple(write.at_first), removed)
    values = dict(zip(_places(":", len(given)), given.values(), strict=True))
    values |= zip(
        _places(":", len(write.at_first), len(given)), write.at_first.values(), strict=True
    )
    values[":seq"] = write.values["seq"]
    values |= {f":{name}": value for name, value in write.against.items()}
    return {
        "TableName": table,
        "Key": key(write.pk, write.sk),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_item(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


@lru_cache(maxsize=128)
def _expression(
    given: tuple[str, ...], at_first: tuple[str, ...], removed: tuple[str, ...]
) -> tuple[Mapping[str, str], str]:
    """Names stand in the expression as #0, #1, …, since some are DynamoDB's own words."""
    names = (*given, *at_first, *removed)
    places = _places("", len(names))
    sets = [f"#{place} = :{place}" for place in places[: len(given)]]
    sets += [
        f"#{place} = if_not_exists(#{place}, :{place})"
        for place in places[len(given) : len(given) + len(at_first)]
    ]
    removes = [f"#{place}" for place in places[len(given) + len(at_first) :]]
    return (
        {f"#{place}": name for place, name in zip(places, names, strict=True)},
        f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
    )


def _places(sign: str, count: int, first: int = 0) -> list[str]:
    return [f"{sign}{place}" for place in range(first, first + count)]
