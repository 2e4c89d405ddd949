"""DynamoDB's tables in memory, each partition in the order of its sort key, as DynamoDB has it.

An emulator goes through a whole partition for every query, and takes longer for a transaction than
Relay does; what was measured would be the emulator. This one knows only the operations that Relay
calls; `tests/unit/test_bench_tables.py` holds it against an emulator.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic_core

from infra.bench.expressions import Given, condition, updated

# What DynamoDB reads for one page of a query.
_PAGE_BYTES_MAX = 1024 * 1024
_VALUES = "ExpressionAttributeValues"
_LAST = "\U0010ffff"

Document = dict[str, Any]


class Refused(Exception):
    """DynamoDB's error of this type; `more` goes into its document."""

    def __init__(self, kind: str, **more: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.more = more


@dataclass
class _Partition:
    """Items as JSON, by sort key; `keys` are in order once `sorted_keys` has been asked."""

    items: dict[str, bytes] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    in_order: bool = True

    def put(self, sk: str, item: bytes) -> None:
        if sk not in self.items:
            self.in_order = self.in_order and (not self.keys or self.keys[-1] < sk)
            self.keys.append(sk)
        self.items[sk] = item

    def delete(self, sk: str) -> None:
        if self.items.pop(sk, None) is not None:
            keys = self.sorted_keys()
            del keys[bisect_left(keys, sk)]

    def sorted_keys(self) -> list[str]:
        if not self.in_order:
            self.keys.sort()
            self.in_order = True
        return self.keys

    def places(self, prefix: str, after: str, newest: bool) -> range:
        """Where in `sorted_keys` those with this prefix are, from `after` on."""
        keys = self.sorted_keys()
        low, high = bisect_left(keys, prefix), bisect_right(keys, prefix + _LAST)
        if after and newest:
            high = min(high, bisect_left(keys, after))
        elif after:
            low = max(low, bisect_right(keys, after))
        found = range(low, max(high, low))
        return found[::-1] if newest else found


class Tables:
    """`answer` takes an operation's name and its document, and returns the answer's JSON."""

    def __init__(self) -> None:
        self._partitions: dict[tuple[str, str], _Partition] = {}
        self._operations: Mapping[str, Callable[[Document], bytes]] = {
            "CreateTable": lambda _: b"{}",
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "BatchGetItem": self._get_batch,
            "BatchWriteItem": self._write_batch,
            "TransactWriteItems": self._transact,
            "Query": self._query,
        }

    def answer(self, operation: str, request: Document) -> bytes:
        """Raises Refused."""
        return self._operations[operation](request)

    # --- Single items ---

    def _get(self, request: Document) -> bytes:
        item = self._item(request["TableName"], request["Key"])
        return b"{}" if item is None else b'{"Item":%s}' % item

    def _put(self, request: Document) -> bytes:
        self._check(request, request["Item"])
        self._store(request["TableName"], request["Item"])
        return b"{}"

    def _update(self, request: Document) -> bytes:
        self._check(request, request["Key"])
        item = self._updated(request)
        return b'{"Attributes":%s}' % item if request.get("ReturnValues") == "ALL_NEW" else b"{}"

    # --- Many items ---

    def _get_batch(self, request: Document) -> bytes:
        responses = []
        for table, wanted in request["RequestItems"].items():
            found = [
                _projected(item, wanted)
                for key in wanted["Keys"]
                if (item := self._item(table, key))
            ]
            responses.append(b'"%s":[%s]' % (table.encode(), b",".join(found)))
        return b'{"Responses":{%s},"UnprocessedKeys":{}}' % b",".join(responses)

    def _write_batch(self, request: Document) -> bytes:
        """Of any size, so that a large table is soon filled."""
        for table, writes in request["RequestItems"].items():
            for write in writes:
                if "PutRequest" in write:
                    self._store(table, write["PutRequest"]["Item"])
                else:
                    self._remove(table, write["DeleteRequest"]["Key"])
        return b"{}"

    def _transact(self, request: Document) -> bytes:
        actions = [next(iter(action.items())) for action in request["TransactItems"]]
        reasons = [self._reason(details) for _, details in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for kind, details in actions:
            if kind == "Put":
                self._store(details["TableName"], details["Item"])
            elif kind == "Update":
                self._updated(details)
            else:
                self._remove(details["TableName"], details["Key"])
        return b"{}"

    def _reason(self, details: Document) -> Document:
        """Why this action of a transaction fails, if it does."""
        key = details.get("Key") or details["Item"]
        if self._holds(details, key):
            return {"Code": "None"}
        there = self._item(details["TableName"], key)
        wanted = details.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and there
        found = {"Item": pydantic_core.from_json(there)} if wanted and there else {}
        return {"Code": "ConditionalCheckFailed", "Message": "The condition failed", **found}

    def _query(self, request: Document) -> bytes:
        """One page: as many items as are asked for, or the first megabyte."""
        values = {name[1:]: value["S"] for name, value in request[_VALUES].items()}
        partition = self._partition(request["TableName"], values["pk"])
        after = request.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "")
        places = partition.places(
            values.get("prefix", ""), after, not request.get("ScanIndexForward", True)
        )
        keys, limit = partition.sorted_keys(), request.get("Limit")
        page: list[bytes] = []
        # A page is bounded by what is read, not by what is asked for of it.
        size = 0
        for place in places:
            if len(page) == limit or size > _PAGE_BYTES_MAX:
                break
            item = partition.items[keys[place]]
            page.append(_projected(item, request))
            size += len(item)
        more = b""
        # At its limit a page names a next one, even if that will be empty.
        if page and (len(page) < len(places) or len(page) == limit):
            last = {"pk": {"S": values["pk"]}, "sk": {"S": keys[places[len(page) - 1]]}}
            more = b',"LastEvaluatedKey":' + pydantic_core.to_json(last)
        items = b"" if request.get("Select") == "COUNT" else b',"Items":[%s]' % b",".join(page)
        return b'{"Count":%d,"ScannedCount":%d%s%s}' % (len(page), len(page), items, more)

    # --- Within ---

    def _partition(self, table: str, pk: str) -> _Partition:
        return self._partitions.setdefault((table, pk), _Partition())

    def _item(self, table: str, key: Document) -> bytes | None:
        return self._partition(table, key["pk"]["S"]).items.get(_sk(key))

    def _store(self, table: str, item: Document) -> bytes:
        written = pydantic_core.to_json(item)
        self._partition(table, item["pk"]["S"]).put(_sk(item), written)
        return written

    def _remove(self, table: str, key: Document) -> None:
        self._partition(table, key["pk"]["S"]).delete(_sk(key))

    def _updated(self, request: Document) -> bytes:
        key = request["Key"]
        there = self._item(request["TableName"], key)
        before = pydantic_core.from_json(there) if there else key
        item = updated(before, request["UpdateExpression"], _given(request))
        return self._store(request["TableName"], item)

    def _check(self, request: Document, key: Document) -> None:
        if not self._holds(request, key):
            raise Refused("ConditionalCheckFailedException")

    def _holds(self, request: Document, key: Document) -> bool:
        expression = request.get("ConditionExpression")
        if expression is None:
            return True
        there = self._item(request["TableName"], key)
        item = pydantic_core.from_json(there) if there else {}
        return condition(expression)(item, _given(request))


def _given(request: Document) -> Given:
    return Given(request.get("ExpressionAttributeNames", {}), request.get(_VALUES, {}))


def _projected(item: bytes, request: Document) -> bytes:
    """What the request asks for of the item."""
    expression = request.get("ProjectionExpression")
    if expression is None:
        return item
    names = [request["ExpressionAttributeNames"][place] for place in expression.split(", ")]
    there = pydantic_core.from_json(item)
    return pydantic_core.to_json({name: there[name] for name in names if name in there})


def _sk(key: Document) -> str:
    """A table may have no sort key."""
    return str(key.get("sk", {}).get("S", ""))
