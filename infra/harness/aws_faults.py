"""The faults of AWS in a chaos run, as answers to requests."""

import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

_ATTEMPTS_MAX = 3
# The most requests that a throttled partition refuses.
_THROTTLED_MAX = 12


class Fault:
    """How one call to AWS fails; with `after`, AWS processes it and only the answer is lost."""

    def __init__(self, rng: random.Random, service: str, operation: str) -> None:
        self.attempts = rng.choice((1, 1, _ATTEMPTS_MAX))
        self.after = rng.random() < 0.4
        self._operation = operation
        kinds = ["InternalServerError", "connection closed", "read timeout"]
        if not self.after:
            kinds = ["ThrottlingException", "InternalServerError", "connection closed"]
            kinds += {
                "TransactWriteItems": ["TransactionConflict"] * 2,
                "BatchGetItem": ["UnprocessedKeys"] * 2,
                "BatchWriteItem": ["UnprocessedItems"] * 2,
            }.get(operation, [])
        self._kind = rng.choice(kinds)
        self.name = f"{service}: {self._kind}{', answer lost' if self.after else ''}"

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """The answer of the failed call; raises botocore's error if the connection fails."""
        if self._kind == "connection closed":
            raise ConnectionClosedError(endpoint_url=request.url)
        if self._kind == "read timeout":
            raise ReadTimeoutError(endpoint_url=request.url)
        if self._kind in ("UnprocessedKeys", "UnprocessedItems"):
            asked = _body_of(request)["RequestItems"]
            return _answer(request, 200, {"Responses": {}, self._kind: asked})
        if self._kind == "TransactionConflict":
            return _conflict(request)
        status = 400 if self._kind == "ThrottlingException" else 500
        return _answer(request, status, {"__type": self._kind, "message": "From the chaos run."})


@dataclass
class ThrottledPartition:
    """A partition of a table that is beyond DynamoDB's limit; it refuses the next `requests`."""

    pk: str
    requests: int

    def answer(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """The answer if the request uses the partition."""
        operation = _operation_of(request)
        if not operation:
            return None
        body = _body_of(request)
        pks = list(_pks_of(operation, body))
        if self.pk not in pks:
            return None
        self.requests -= 1
        if operation == "TransactWriteItems":
            codes = ["ThrottlingError" if pk == self.pk else "None" for pk in pks]
            return _cancelled(request, [{"Code": code} for code in codes])
        if operation.startswith("Batch"):
            unprocessed = "UnprocessedKeys" if operation == "BatchGetItem" else "UnprocessedItems"
            return _answer(request, 200, {"Responses": {}, unprocessed: body["RequestItems"]})
        kind = "ProvisionedThroughputExceededException"
        return _answer(request, 400, {"__type": kind, "message": "From the chaos run."})


def throttled_partition(
    request: AWSPreparedRequest, rng: random.Random
) -> ThrottledPartition | None:
    """One of the partitions that the request uses; None if it is none of DynamoDB's."""
    operation = _operation_of(request)
    pks = list(_pks_of(operation, _body_of(request))) if operation else []
    return ThrottledPartition(rng.choice(pks), rng.randint(1, _THROTTLED_MAX)) if pks else None


def _operation_of(request: AWSPreparedRequest) -> str:
    """DynamoDB's operation; empty for another service."""
    target: Any = request.headers.get("X-Amz-Target", b"")
    name = target.decode() if isinstance(target, bytes) else target
    service, _, operation = name.partition(".")
    return operation if service.startswith("DynamoDB") else ""


def _pks_of(operation: str, body: Any) -> Iterator[str]:
    """The pk of each item or key in the request, in their order."""
    match operation:
        case "TransactWriteItems":
            for action in body["TransactItems"]:
                yield from _pks_of("", *action.values())
        case "BatchGetItem":
            for keys in body["RequestItems"].values():
                yield from (key["pk"]["S"] for key in keys["Keys"])
        case "BatchWriteItem":
            for writes in body["RequestItems"].values():
                for write in writes:
                    yield from _pks_of("", *write.values())
        case "Query":
            yield body["ExpressionAttributeValues"][":pk"]["S"]
        case _:
            yield (body.get("Key") or body["Item"])["pk"]["S"]


def _conflict(request: AWSPreparedRequest) -> AWSResponse:
    """The answer if another transaction uses the first of the items."""
    items = len(_body_of(request)["TransactItems"])
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    return _cancelled(request, reasons + [{"Code": "None"} for _ in range(items - 1)])


def _cancelled(request: AWSPreparedRequest, reasons: Sequence[dict[str, str]]) -> AWSResponse:
    named = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons [{named}]"
    document = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons,
    }
    return _answer(request, 400, document)


def _body_of(request: AWSPreparedRequest) -> Any:
    body: Any = request.body
    return json.loads(body)


def _answer(request: AWSPreparedRequest, status: int, document: dict[str, Any]) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(document).encode()))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()
