"""A fast DynamoDB emulation: the operations that Relay calls, on SQLite.

MiniStack searches a whole partition for every query, and its transactions cost more than Relay's
own work, so it is unsuitable for benchmarks. SQLite stores a partition in the order of its sort
key, as DynamoDB does. `tests/tooling/test_harness_tables.py` compares the two.
"""

import sqlite3
import threading
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from infra.harness.partition_limits import (
    THROTTLED,
    THROTTLED_IN_TRANSACTION,
    Limits,
    item_size,
    read_units,
    write_units,
)
from infra.harness.table_expressions import Document, holds, name_of, updated, values_of

# DynamoDB's limit for one page of a query.
_PAGE_BYTES_MAX = 1024 * 1024
_LAST = "\U0010ffff"
_SCHEMA = """CREATE TABLE items (
    name TEXT, pk TEXT, sk TEXT, item BLOB, size INTEGER, PRIMARY KEY (name, pk, sk)
) WITHOUT ROWID"""
_ITEM = "SELECT item, size FROM items WHERE name = ? AND pk = ? AND sk = ?"
_INSERT = "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)"
_PAGE = "SELECT sk, item, size FROM items WHERE name = ? AND pk = ? AND "
# The first page, and those after or before a sort key.
_PAGES = {
    "": _PAGE + "sk >= ? AND sk <= ?",
    ">": _PAGE + "sk > ? AND sk <= ?",
    "<": _PAGE + "sk >= ? AND sk < ?",
}


class Refused(Exception):
    """A DynamoDB error of the type `kind`; `more` are additional fields of its document."""

    def __init__(self, kind: str, **more: Any) -> None:
        super().__init__(kind)
        name = f"com.amazonaws.dynamodb.v20120810#{kind}"
        self.document = {"__type": name, "message": kind} | more


class Stored(NamedTuple):
    """A stored item as JSON, with its size in DynamoDB's bytes."""

    json: bytes
    size: int


class Tables:
    """All tables, in one SQLite database in memory. Thread-safe.

    `limits` are DynamoDB's; None, the default, throttles nothing.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits
        self._rows = sqlite3.connect(":memory:", check_same_thread=False)
        self._rows.execute(_SCHEMA)
        self._turn = threading.Lock()

    def close(self) -> None:
        """Deletes the database."""
        self._rows.close()

    def answer(self, operation: str, request: Document) -> bytes:
        """Processes one operation and returns the answer's JSON. Raises Refused."""
        with self._turn, self._rows:
            match operation:
                case "GetItem":
                    return self._get(request)
                case "PutItem" | "UpdateItem":
                    return self._put(request)
                case "BatchGetItem":
                    return self._batch_get(request["RequestItems"])
                case "BatchWriteItem":
                    return self._batch_write(request["RequestItems"])
                case "TransactWriteItems":
                    self._transact([next(iter(one.values())) for one in request["TransactItems"]])
                case "Query":
                    return self._query(request)
                case "Fill":
                    # Not DynamoDB's: items as (pk, sk, JSON), for benchmarks of large tables.
                    name = request["TableName"]
                    rows = [(name, *key, one.encode(), len(one)) for *key, one in request["Rows"]]
                    self._rows.executemany(_INSERT, rows)
            return b"{}"

    def _get(self, request: Document) -> bytes:
        stored = self._stored(request["TableName"], request["Key"])
        if not self._read(request["TableName"], request["Key"], request, stored):
            raise Refused(THROTTLED)
        return b'{"Item":%s}' % stored.json if stored else b"{}"

    def _put(self, request: Document) -> bytes:
        change = self._change(request)
        if not self._prepared(change):
            raise Refused(THROTTLED)
        if change.refusal:
            raise Refused("ConditionalCheckFailedException")
        item = self._apply(change)
        return b'{"Attributes":%s}' % item if "ReturnValues" in request else b"{}"

    def _batch_get(self, requested: Document) -> bytes:
        tables, unprocessed = [], {}
        for name, wanted in requested.items():
            found, throttled = [], []
            for key in wanted["Keys"]:
                stored = self._stored(name, key)
                if not self._read(name, key, wanted, stored):
                    throttled.append(key)
                elif stored:
                    found.append(_projected(stored.json, wanted))
            if throttled:
                unprocessed[name] = {**wanted, "Keys": throttled}
            tables.append(b'"%s":[%s]' % (name.encode(), b",".join(found)))
        _check_any_processed(requested, unprocessed)
        responses = b",".join(tables)
        return b'{"Responses":{%s},"UnprocessedKeys":%s}' % (responses, to_json(unprocessed))

    def _batch_write(self, requested: Document) -> bytes:
        unprocessed: Document = {}
        for name, writes in requested.items():
            for write in writes:
                change = self._change(next(iter(write.values())) | {"TableName": name})
                if self._prepared(change):
                    self._apply(change)
                else:
                    unprocessed.setdefault(name, []).append(write)
        _check_any_processed(requested, unprocessed)
        return b'{"UnprocessedItems":%s}' % to_json(unprocessed)

    def _transact(self, writes: list[Document]) -> None:
        """Prepare all writes, and commit them if none is refused.

        Each half costs an item's size: a canceled transaction has paid for what it prepared.
        """
        changes = [self._change(write) for write in writes]
        reasons = [
            change.refusal if self._prepared(change) else THROTTLED_IN_TRANSACTION
            for change in changes
        ]
        if any(reasons):
            named = [reason or {"Code": "None"} for reason in reasons]
            raise Refused("TransactionCanceledException", CancellationReasons=named)
        for change in changes:
            if self.limits:
                self.limits.commit_write(change.table, change.key[0], change.units)
            self._apply(change)

    def _query(self, request: Document) -> bytes:
        """One page: up to `Limit` items, or about a megabyte."""
        values = {name[1:]: value["S"] for name, value in values_of(request).items()}
        prefix, after = values.get("prefix", ""), request.get("ExclusiveStartKey")
        sign, order = (">", "ASC") if request.get("ScanIndexForward", True) else ("<", "DESC")
        bounds = [prefix, prefix + _LAST]
        if after:
            # Two bounds of one side would be a filter: SQLite would read all that was passed.
            bounds[sign == "<"] = after["sk"]["S"]
        page: list[bytes] = []
        last, size, read, more, scanned = "", 0, 0, b"", 0
        rows = self._rows.execute(
            _PAGES[sign if after else ""] + f" ORDER BY sk {order}",
            [request["TableName"], values["pk"], *bounds],
        )
        for sk, item, item_bytes in rows:
            if size > _PAGE_BYTES_MAX or scanned == request.get("Limit"):
                break
            scanned += 1
            if _passes(item, request):
                page.append(_projected(item, request))
            last, size, read = sk, size + len(item), read + item_bytes
        else:
            # A page of `Limit` items has a next page, even if that is empty.
            last = last if scanned and scanned == request.get("Limit") else ""
        if not self._read(
            request["TableName"], {"pk": {"S": values["pk"]}}, request, Stored(b"", read)
        ):
            raise Refused(THROTTLED)
        if last:
            more = b',"LastEvaluatedKey":' + to_json({"pk": {"S": values["pk"]}, "sk": {"S": last}})
        items = b"" if request.get("Select") == "COUNT" else b',"Items":[%s]' % b",".join(page)
        return b'{"Count":%d,"ScannedCount":%d%s%s}' % (len(page), scanned, items, more)

    # --- One item ---

    def _stored(self, table: str, key: Document) -> Stored | None:
        found = self._rows.execute(_ITEM, (table, *_key(key))).fetchone()
        return found and Stored(bytes(found[0]), found[1])

    def _read(self, table: str, key: Document, request: Document, read: Stored | None) -> bool:
        """Whether the key admits this read."""
        units = read_units(read.size if read else 0, bool(request.get("ConsistentRead")))
        return not self.limits or self.limits.admit_read(table, key["pk"]["S"], units)

    def _change(self, write: Document) -> "_Change":
        """What a put, update or delete would do; a failed condition costs the existing item."""
        table, key = write["TableName"], _key(_key_of(write))
        stored = self._stored(table, _key_of(write))
        before = stored.size if stored else 0
        refusal = _refusal(write, stored.json if stored else None)
        if refusal:
            return _Change(table, key, None, before, write_units(before), refusal)
        item = write.get("Item")
        if "UpdateExpression" in write:
            item = updated(from_json(stored.json) if stored else write["Key"], write)
        size = item_size(item) if item else 0
        return _Change(table, key, item, size, write_units(max(before, size)), None)

    def _prepared(self, change: "_Change") -> bool:
        """Whether the key admits this write."""
        if not self.limits:
            return True
        return self.limits.admit_write(change.table, change.key[0], change.units)

    def _apply(self, change: "_Change") -> bytes:
        """Store or delete the item; returns the new item."""
        row = (change.table, *change.key)
        if change.item is None:
            self._rows.execute("DELETE FROM items WHERE name = ? AND pk = ? AND sk = ?", row)
            return b""
        written = to_json(change.item)
        values = (*row, written, change.size)
        self._rows.execute(_INSERT, values)
        return written


class _Change(NamedTuple):
    """One write; without an item it deletes. `size` in bytes is the new item's."""

    table: str
    key: tuple[str, str]
    item: Document | None
    size: int
    units: int
    refusal: Document | None


def _check_any_processed(requested: Document, unprocessed: Document) -> None:
    """Raise Refused if every part of a batch was throttled, as DynamoDB does."""
    if unprocessed and _parts(requested) == _parts(unprocessed):
        raise Refused(THROTTLED)


def _parts(items: Document) -> int:
    return sum(len(one["Keys"] if isinstance(one, dict) else one) for one in items.values())


def _key_of(write: Document) -> Document:
    key: Document = write.get("Key") or write["Item"]
    return key


def _refusal(write: Document, stored: bytes | None) -> Document | None:
    """The cancellation reason if the write's condition fails."""
    condition = write.get("ConditionExpression")
    if not condition or holds(condition, from_json(stored) if stored else {}, write):
        return None
    shown = stored and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    item = {"Item": from_json(stored)} if stored and shown else {}
    return {"Code": "ConditionalCheckFailed", "Message": "The condition failed", **item}


def _key(key: Document) -> tuple[str, str]:
    """Partition key and sort key; the latter is empty for a table without one."""
    return key["pk"]["S"], key.get("sk", {}).get("S", "")


def _passes(item: bytes, request: Document) -> bool:
    expression = request.get("FilterExpression")
    return not expression or holds(expression, from_json(item), request)


def _projected(item: bytes, request: Document) -> bytes:
    expression = request.get("ProjectionExpression")
    if not expression:
        return item
    names = [name_of(place, request) for place in expression.split(", ")]
    stored = from_json(item)
    return to_json({name: stored[name] for name in names if name in stored})
