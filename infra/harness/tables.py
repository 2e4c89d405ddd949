"""A fast DynamoDB emulation: the operations that Relay calls, on SQLite.

MiniStack searches a whole partition for every query, and its transactions cost more than Relay's
own work, so it is unsuitable for benchmarks. SQLite stores a partition in the order of its sort
key, as DynamoDB does. `tests/tooling/test_harness_tables.py` compares the two.

`python -m infra.harness.tables PORT` serves on the loopback interface until it is stopped.
"""

import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic_core import from_json, to_json

from infra.harness.serving import Quiet
from infra.local.ports import HOST

Document = dict[str, Any]

# DynamoDB's limit for one page of a query.
_PAGE_BYTES_MAX = 1024 * 1024
_LAST = "\U0010ffff"
_SCHEMA = """CREATE TABLE items (
    name TEXT, pk TEXT, sk TEXT, item BLOB, PRIMARY KEY (name, pk, sk)
) WITHOUT ROWID"""
_ITEM = "SELECT item FROM items WHERE name = ? AND pk = ? AND sk = ?"
_PAGE = "SELECT sk, item FROM items WHERE name = ? AND pk = ? AND sk >= ? AND sk <= ?"
# Conditions: attribute_(not_)exists, comparisons, AND, OR. Updates: SET, REMOVE, ADD.
_CONDITION = re.compile(
    r"attribute_(not_)?exists\(([#\w]+)\)|(:\w+)|\b(AND|OR)\b|(<>|<=|>=|=)|([#\w]+)"
)
_ACTION = re.compile(
    r"(?:(SET|REMOVE|ADD) )?([#\w]+)(?:(?: = | )(if_not_exists\([#\w]+, )?(:\w+)\)?)?,?\s*"
)


class Refused(Exception):
    """A DynamoDB error of the type `kind`; `more` are additional fields of its document."""

    def __init__(self, kind: str, **more: Any) -> None:
        super().__init__(kind)
        name = f"com.amazonaws.dynamodb.v20120810#{kind}"
        self.document = {"__type": name, "message": kind} | more


class Tables:
    """All tables, in one SQLite database in memory. Thread-safe."""

    def __init__(self) -> None:
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
                    item = self._stored(request, request["Key"])
                    return b'{"Item":%s}' % item if item else b"{}"
                case "PutItem" | "UpdateItem":
                    stored = self._stored(request, _key_of(request))
                    if _refusal(request, stored):
                        raise Refused("ConditionalCheckFailedException")
                    item = self._write(request, stored)
                    return b'{"Attributes":%s}' % item if "ReturnValues" in request else b"{}"
                case "BatchGetItem":
                    return self._batch_get(request["RequestItems"])
                case "BatchWriteItem":
                    for name, writes in request["RequestItems"].items():
                        for write in writes:
                            self._write(next(iter(write.values())) | {"TableName": name}, None)
                case "TransactWriteItems":
                    self._transact([next(iter(one.values())) for one in request["TransactItems"]])
                case "Query":
                    return self._query(request)
            return b"{}"

    def _batch_get(self, requested: Document) -> bytes:
        tables = []
        for name, wanted in requested.items():
            found = [self._stored({"TableName": name}, key) for key in wanted["Keys"]]
            items = b",".join(_projected(item, wanted) for item in found if item)
            tables.append(b'"%s":[%s]' % (name.encode(), items))
        return b'{"Responses":{%s},"UnprocessedKeys":{}}' % b",".join(tables)

    def _transact(self, writes: list[Document]) -> None:
        stored = [self._stored(write, _key_of(write)) for write in writes]
        reasons = [_refusal(*one) for one in zip(writes, stored, strict=True)]
        if any(reasons):
            named = [reason or {"Code": "None"} for reason in reasons]
            raise Refused("TransactionCanceledException", CancellationReasons=named)
        for write, one in zip(writes, stored, strict=True):
            self._write(write, one)

    def _query(self, request: Document) -> bytes:
        """One page: up to `Limit` items, or about a megabyte."""
        values = {name[1:]: value["S"] for name, value in _values(request).items()}
        prefix, after = values.get("prefix", ""), request.get("ExclusiveStartKey")
        sign, order = (">", "ASC") if request.get("ScanIndexForward", True) else ("<", "DESC")
        asked = [request["TableName"], values["pk"], prefix, prefix + _LAST]
        page: list[bytes] = []
        last, size, more = "", 0, b""
        rows = self._rows.execute(
            f"{_PAGE}{f' AND sk {sign} ?' if after else ''} ORDER BY sk {order}",
            asked + ([after["sk"]["S"]] if after else []),
        )
        for sk, item in rows:
            if size > _PAGE_BYTES_MAX or len(page) == request.get("Limit"):
                break
            page.append(_projected(item, request))
            last, size = sk, size + len(item)
        else:
            # A page of `Limit` items has a next page, even if that is empty.
            last = last if page and len(page) == request.get("Limit") else ""
        if last:
            more = b',"LastEvaluatedKey":' + to_json({"pk": {"S": values["pk"]}, "sk": {"S": last}})
        items = b"" if request.get("Select") == "COUNT" else b',"Items":[%s]' % b",".join(page)
        return b'{"Count":%d,"ScannedCount":%d%s%s}' % (len(page), len(page), items, more)

    # --- One item ---

    def _stored(self, request: Document, key: Document) -> bytes | None:
        found = self._rows.execute(_ITEM, (request["TableName"], *_key(key))).fetchone()
        return found and bytes(found[0])

    def _write(self, write: Document, stored: bytes | None) -> bytes:
        """Put, update or delete an item; returns the new item."""
        item = write.get("Item")
        if "UpdateExpression" in write:
            item = _updated(from_json(stored) if stored else write["Key"], write)
        row = (write["TableName"], *_key(_key_of(write)))
        if item is None:
            self._rows.execute("DELETE FROM items WHERE name = ? AND pk = ? AND sk = ?", row)
            return b""
        written = to_json(item)
        self._rows.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", (*row, written))
        return written


def _key_of(write: Document) -> Document:
    key: Document = write.get("Key") or write["Item"]
    return key


def _refusal(write: Document, stored: bytes | None) -> Document | None:
    """The cancellation reason if the write's condition fails."""
    condition = write.get("ConditionExpression")
    if not condition or _holds(condition, from_json(stored) if stored else {}, write):
        return None
    shown = stored and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    item = {"Item": from_json(stored)} if stored and shown else {}
    return {"Code": "ConditionalCheckFailed", "Message": "The condition failed", **item}


# --- Expressions ---


class _Absent:
    """An absent attribute: every comparison with it is false."""

    def _never(self, _: object) -> bool:
        return False

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _never
    __hash__ = None  # type: ignore[assignment]


_ABSENT = _Absent()


@cache
def _condition(expression: str) -> Callable[[Callable[[str], Any], Callable[[str], Any]], Any]:
    """The condition in Python, where AND and OR have the same precedence."""

    def python(found: re.Match[str]) -> str:
        is_absent, checked, value, word, sign, name = found.groups()
        if checked:
            return f"(attribute({checked!r}) is {'' if is_absent else 'not '}_ABSENT)"
        if word or sign:
            return word.lower() if word else {"=": "==", "<>": "!="}.get(sign, sign)
        return f"value({value!r})" if value else f"attribute({name!r})"

    source = f"lambda attribute, value: {_CONDITION.sub(python, expression)}"
    condition: Callable[..., Any] = eval(source)  # noqa: S307 - built from Relay's own expressions
    return condition


def _holds(expression: str, item: Document, request: Document) -> bool:
    values = _values(request)

    def attribute(place: str) -> Any:
        name = _name(place, request)
        return _comparable(item[name]) if name in item else _ABSENT

    return bool(_condition(expression)(attribute, lambda place: _comparable(values[place])))


def _updated(item: Document, request: Document) -> Document:
    updated = dict(item)
    for clause, place, keeps, value in _actions(request["UpdateExpression"]):
        name = _name(place, request)
        if clause == "REMOVE":
            updated.pop(name, None)
        elif clause == "ADD":
            before = Decimal(item.get(name, {"N": "0"})["N"])
            updated[name] = {"N": str(before + Decimal(_values(request)[value]["N"]))}
        elif not (keeps and name in item):
            updated[name] = _values(request)[value]
    return updated


@cache
def _actions(expression: str) -> list[tuple[str, str, str, str]]:
    """(clause, name, non-empty if an existing attribute stays, value)."""
    actions, clause = [], ""
    for found in _ACTION.finditer(expression):
        clause = found[1] or clause
        actions.append((clause, found[2], found[3] or "", found[4] or ""))
    return actions


def _comparable(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def _name(place: str, request: Document) -> str:
    return str(request["ExpressionAttributeNames"][place]) if place.startswith("#") else place


def _values(request: Document) -> Document:
    return request.get("ExpressionAttributeValues") or {}


def _key(key: Document) -> tuple[str, str]:
    """Partition key and sort key; the latter is empty for a table without one."""
    return key["pk"]["S"], key.get("sk", {}).get("S", "")


def _projected(item: bytes, request: Document) -> bytes:
    expression = request.get("ProjectionExpression")
    if not expression:
        return item
    names = [_name(place, request) for place in expression.split(", ")]
    stored = from_json(item)
    return to_json({name: stored[name] for name in names if name in stored})


# --- Over HTTP ---


def handler_of(tables: Tables) -> type[BaseHTTPRequestHandler]:
    """Returns a request handler that serves these tables with DynamoDB's protocol."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise, an answer's body waits for the acknowledgement of its headers.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer(200, b"{}")

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self._answer(200, tables.answer(operation, from_json(body)))
            except Refused as refused:
                self._answer(400, to_json(refused.document))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    return Handler


if __name__ == "__main__":
    ThreadingHTTPServer((HOST, int(sys.argv[1])), handler_of(Tables())).serve_forever()
