"""DynamoDB's own limits: how much one partition key takes per second, and what each request costs.

A partition serves 1,000 write units and 3,000 read units a second, whatever the table's mode. Here,
each partition key value is a partition of its own, which is the best that DynamoDB's splitting can
do for it. Adaptive capacity, and splitting one key's items by their sort keys, are left out: they
take minutes, and don't help a key whose newest items are the busy ones.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

WRITE_UNITS_PER_SECOND = 1000.0
READ_UNITS_PER_SECOND = 3000.0
_WRITE_UNIT_BYTES = 1024
_READ_UNIT_BYTES = 4096
# An element of a list or a map, and the list or map itself, have this overhead in bytes.
_ELEMENT_BYTES, _NESTED_BYTES = 1, 3
# The errors of a table on demand.
THROTTLED = "ThrottlingException"
THROTTLED_IN_TRANSACTION = {
    "Code": "ThrottlingError",
    "Message": "Throughput exceeds the current capacity of your table or index. DynamoDB is "
    "automatically scaling your table or index so please try again shortly.",
}


def write_units(size: int) -> int:
    """The write units of an item with this many bytes: one per started kilobyte, at least one."""
    return max(ceil(size / _WRITE_UNIT_BYTES), 1)


def read_units(size: int, consistent: bool) -> float:
    """The read units of an item, or of all items of a query's page, with this many bytes."""
    return max(ceil(size / _READ_UNIT_BYTES), 1) * (1.0 if consistent else 0.5)


def item_size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """The bytes of an item in DynamoDB's JSON: its attributes' names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            # Two digits a byte, and one byte.
            return len(content.lstrip("-").replace(".", "")) // 2 + 1
        case "B":
            return len(content) * 3 // 4
        case "L":
            return _NESTED_BYTES + sum(_value_size(one) + _ELEMENT_BYTES for one in content)
        case "M":
            return _NESTED_BYTES + item_size(content) + _ELEMENT_BYTES * len(content)
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: one}) for one in content)
    return 1  # BOOL and NULL


@dataclass
class _Bucket:
    """Tokens for one partition key; holds one second's worth."""

    tokens: float
    filled_at: float


class Limits:
    """Token buckets by table and partition key. Not thread-safe.

    A request is admitted while its bucket has any tokens, and may leave it below zero: DynamoDB
    knows the units of a query, or of an update, only after it has read the items. So the rate is
    exact over seconds, and an item of 400 KB is possible.
    """

    def __init__(
        self,
        writes: float = WRITE_UNITS_PER_SECOND,
        reads: float = READ_UNITS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = {"write": writes, "read": reads}
        self._clock = clock
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def admit_write(self, table: str, pk: str, units: float) -> bool:
        """Consumes the units; False, without consuming any, if the key is throttled."""
        return self._admit("write", table, pk, units)

    def admit_read(self, table: str, pk: str, units: float) -> bool:
        """Consumes the units; False, without consuming any, if the key is throttled."""
        return self._admit("read", table, pk, units)

    def commit_write(self, table: str, pk: str, units: float) -> None:
        """Consumes the second half of a transaction's units: what is prepared is committed."""
        self._bucket("write", table, pk).tokens -= units

    def _admit(self, kind: str, table: str, pk: str, units: float) -> bool:
        bucket = self._bucket(kind, table, pk)
        if bucket.tokens <= 0:
            return False
        bucket.tokens -= units
        return True

    def _bucket(self, kind: str, table: str, pk: str) -> _Bucket:
        rate, now = self._rates[kind], self._clock()
        bucket = self._buckets.setdefault((kind, table, pk), _Bucket(rate, now))
        bucket.tokens = min(bucket.tokens + (now - bucket.filled_at) * rate, rate)
        bucket.filled_at = now
        return bucket
