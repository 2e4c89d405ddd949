"""AWS's own latencies, which an emulator on this machine does not have.

`install` makes every call of this process to AWS take a time that is drawn from a lognormal
distribution through a median and a 99th percentile. The wait is in botocore's connection, after the
emulator has answered and while the connection is in use: so threads wait side by side, a pool of
connections is as busy as on AWS, and the emulator's own time is part of the latency, not added to
it. TLS handshakes are left out.

Figures without a source that could be cited are marked as assumed. Published ones are measured by
a client in the same region, so they include the network and the client's own work.
"""

import json
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSHTTPConnection

# A worker of the harness installs the latencies with this variable's value as the seed.
SEED_VARIABLE = "HARNESS_LATENCIES"
_Z99 = 2.3263


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call; `each` is added for each item. `source` says where they are from.

    `follows` is true for a call that may wait for something to happen: its latency comes on top.
    """

    median: float
    p99: float
    source: str
    each: float = 0.0
    follows: bool = False

    def typical(self, items: int = 1) -> float:
        """The median, in milliseconds."""
        return self.median + self.each * items

    def draw(self, rng: random.Random, items: int = 1) -> float:
        """One call's latency, in milliseconds."""
        sigma = math.log(self.p99 / self.median) / _Z99
        return rng.lognormvariate(math.log(self.median), sigma) + self.each * items


# Alex DeBrie's measurement from Lambda with boto3, in 2020, 400 invocations of each kind: p50 and
# p99 of PutItem 7.55 and 16.2, BatchWriteItem of 5 items 8.14 and 25.5, of 25 10.2 and 27.6,
# TransactWriteItems of 5 items 25.3 and 92.5, of 25 32.1 and 97.5. More items are extrapolated.
_DEBRIE = "https://github.com/alexdebrie/dynamodb-performance-testing"
# AWS says only that GetItem and PutItem take single-digit milliseconds on average:
# https://repost.aws/knowledge-center/dynamodb-high-latency
_SINGLE_DIGIT = "assumed, within AWS's “single-digit milliseconds”"
# From SendMessage to the start of a Lambda function behind an event source mapping, in eu-west-1 in
# 2022: p50 16.2, p99 105. How it divides into sending and receiving is assumed.
_BITE = "https://bitesizedserverless.com/bite/serverless-messaging-latency-compared/, divided"

_WRITE = Latency(7.55, 16.2, _DEBRIE)
_SEND = Latency(8.0, 40.0, _BITE)
_KMS = Latency(10.0, 40.0, "assumed")
LATENCIES: Mapping[str, Latency] = {
    "dynamodb.GetItem": Latency(5.0, 15.0, _SINGLE_DIGIT),
    "dynamodb.BatchGetItem": Latency(6.0, 20.0, "assumed, as BatchWriteItem to PutItem", each=0.1),
    "dynamodb.Query": Latency(7.0, 25.0, "assumed"),
    "dynamodb.PutItem": _WRITE,
    "dynamodb.UpdateItem": _WRITE,
    "dynamodb.DeleteItem": _WRITE,
    "dynamodb.BatchWriteItem": Latency(7.6, 25.0, _DEBRIE, each=0.1),
    "dynamodb.TransactWriteItems": Latency(23.6, 91.0, _DEBRIE, each=0.34),
    "sqs.SendMessage": _SEND,
    "sqs.SendMessageBatch": _SEND,
    "sqs.ReceiveMessage": Latency(8.0, 65.0, _BITE, follows=True),
    "sqs.DeleteMessage": Latency(8.0, 40.0, "assumed, as SendMessage"),
    "sqs.DeleteMessageBatch": Latency(8.0, 40.0, "assumed, as SendMessage"),
    "sqs.ChangeMessageVisibility": Latency(8.0, 40.0, "assumed, as SendMessage"),
    "kms.Decrypt": _KMS,
    "kms.GenerateDataKey": _KMS,
}
_OTHER = Latency(10.0, 40.0, "assumed")
# Until Jira answers, in seconds: assumed, because Atlassian publishes none. The simulator's
# `answerDelaySeconds` has no spread.
JIRA_SECONDS = 0.2

_SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "TrentService": "kms"}
# What occurs once per item in a request's JSON. Quotes in a value are escaped, so no value has it.
_PER_ITEM = {
    "dynamodb.TransactWriteItems": (b'"TableName":',),
    "dynamodb.BatchWriteItem": (b'"PutRequest":', b'"DeleteRequest":'),
}


def items_of(operation: str, body: bytes) -> int:
    """The number of items in a request's body."""
    if operation == "dynamodb.BatchGetItem":
        return sum(len(one["Keys"]) for one in json.loads(body)["RequestItems"].values())
    if operation not in _PER_ITEM:
        return 1
    compact = body.replace(b'": ', b'":')
    return sum(map(compact.count, _PER_ITEM[operation]))


def operation_of(headers: Mapping[str, Any]) -> str:
    """`service.Operation` of a request's headers; empty if they name none."""
    target = headers.get("X-Amz-Target", b"")
    service, _, operation = (
        target.decode() if isinstance(target, bytes) else str(target)
    ).partition(".")
    return f"{_SERVICES.get(service, service)}.{operation}" if operation else ""


class Draws:
    """Draws latencies; thread-safe. Which call gets which draw is up to the threads."""

    def __init__(self, seed: str, latencies: Mapping[str, Latency] = LATENCIES) -> None:
        self._latencies = latencies
        self._rng = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()

    def reseed(self, seed: str) -> None:
        """Starts over: workers that are forked from one process would all draw the same."""
        with self._lock:
            self._rng.seed(seed)

    def seconds(self, operation: str, body: bytes) -> tuple[float, bool]:
        """The seconds of this call, and whether they follow the answer."""
        latency = self._latencies.get(operation, _OTHER)
        with self._lock:
            drawn = latency.draw(self._rng, items_of(operation, body))
        return drawn / 1000, latency.follows


def install(draws: Draws, sleep: Callable[[float], None] = time.sleep) -> None:
    """Delays every call to AWS in this process, from now on."""
    connection_type: Any = AWSHTTPConnection
    request, respond = connection_type.request, connection_type.getresponse

    def timed_request(
        connection: Any, method: str, url: str, body: Any = None, headers: Any = None, **more: Any
    ) -> Any:
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        connection.latency = draws.seconds(operation_of(headers or {}), content)
        connection.started_at = time.monotonic()
        return request(connection, method, url, body, headers, **more)

    def timed_response(connection: Any) -> Any:
        response = respond(connection)
        seconds, follows = connection.latency
        passed = 0.0 if follows else time.monotonic() - connection.started_at
        sleep(max(seconds - passed, 0.0))
        return response

    connection_type.request, connection_type.getresponse = timed_request, timed_response


def installed_from_environment() -> Draws | None:
    """Installs the latencies if SEED_VARIABLE is set; returns their draws."""
    if SEED_VARIABLE not in os.environ:
        return None
    draws = Draws(os.environ[SEED_VARIABLE])
    install(draws)
    return draws
