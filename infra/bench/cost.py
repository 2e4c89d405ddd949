"""`make bench-cost`: dollars per million incidents, from measured usage and list prices."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from math import ceil
from typing import Any

import boto3

from infra.bench.aws_calls import watch
from infra.bench.cost_model import WRITE_UNIT_BYTES, Usage, Work
from infra.bench.cost_model import parts as parts_of
from infra.bench.result import Result, Table, number
from infra.bench.sample import incidents
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import spent
from infra.harness.drain import drain
from infra.harness.latencies import Draws, install
from infra.lambdas.runtime import Context, http_event, load, sqs_event
from infra.lambdas.template import memory_of
from relay.queues.submissions import parse_message

# Entities per submission: a single change, a few changes, and an import or a busy tool.
SIZES = (1, 100, 1000)
_SUBMISSIONS = 12

Counts = dict[str, float]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures submissions of each size and computes their cost."""
    usages = {}
    for size in (one for one in SIZES if one <= sizes.calls):
        place = stand.place("cost")
        stand.screen.say(f"cost: submissions of {size} …")
        with stand.stage.delayed_jira():
            accepting, delivering = stand.run(
                "cost:measure",
                workspace_id=place["workspace_id"],
                api_key=stand.stage.api_key,
                queue=stand.stage.environment["SUBMISSIONS_QUEUE"],
                size=size,
            )
        usages[size] = _usage(size, accepting, delivering)
    return _result(usages)


def measure(workspace_id: str, api_key: str, queue: str, size: int) -> tuple[Counts, Counts]:
    """The usage of accepting one submission and of delivering it, in a new process.

    Its calls to AWS have AWS's latencies.
    """
    install(Draws("1"))
    sqs = boto3.client("sqs")
    meter = _Meter()
    watch(meter.see)
    submissions, submitter = load("submissions"), load("submitter")
    path = f"/v1/workspaces/{workspace_id}/submissions"
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    accepting: Counter[str] = Counter()
    delivering: Counter[str] = Counter()
    for turn in range(_SUBMISSIONS + 1):
        body = json.dumps({"incidents": list(incidents(size, first=turn * size))})
        event = http_event("POST", path, body, headers)
        accepted = meter.usage_of(partial(submissions.handler, event, Context()))
        # Other benchmarks may have left messages of theirs.
        bodies = [one["Body"] for one in drain(sqs, queue)]
        [message] = [one for one in bodies if parse_message(one).workspace_id == workspace_id]
        delivered = meter.usage_of(partial(submitter.handler, sqs_event([message]), Context()))
        # The first submission decrypts the site's secret and opens connections, so it does not
        # count.
        if turn:
            accepting.update(accepted | {"body": len(body), "message": len(message)})
            delivering.update(delivered)
    return _each(accepting), _each(delivering)


def _each(total: Counter[str]) -> Counts:
    return {key: value / _SUBMISSIONS for key, value in total.items()}


class _Meter:
    """Counts requests to DynamoDB and SQS in the units that AWS bills."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def see(self, name: str, request: Any) -> None:
        service, _, operation = name.partition(".")
        if service != "dynamodb":
            return
        asked = json.loads(request.body)
        if operation == "BatchWriteItem":
            for writes in asked["RequestItems"].values():
                items = [write["PutRequest"]["Item"] for write in writes]
                sizes = [_bytes_of(item, item.values()) for item in items]
                self._counts["receipt units"] += sum(ceil(one / WRITE_UNIT_BYTES) for one in sizes)
            return
        if operation != "TransactWriteItems":
            keys = [one["Keys"] for one in asked.get("RequestItems", {}).values()]
            self._counts["read units"] += max(sum(map(len, keys)), 1)
            return
        for item in asked["TransactItems"]:
            size = _item_bytes(item["Update"])
            self._counts["stored"] += size
            self._counts["write units"] += ceil(size / WRITE_UNIT_BYTES)

    def usage_of(self, work: Any) -> dict[str, Any]:
        """The counts, milliseconds of `cpu` and `waiting`, and bytes of `log`, which is standard
        output."""
        sys.stdout.flush()
        self._counts.clear()
        logged = os.fstat(1).st_size
        seconds = spent(work)
        sys.stdout.flush()
        return dict(self._counts) | {
            "cpu": seconds["cpu"] * 1000,
            "waiting": (seconds["wall"] - seconds["cpu"]) * 1000,
            "log": os.fstat(1).st_size - logged,
        }


def _item_bytes(update: dict[str, Any]) -> int:
    """About the size that DynamoDB bills: names and values, in bytes."""
    values = [*update["Key"].values(), *update["ExpressionAttributeValues"].values()]
    return _bytes_of([*update["Key"], *update["ExpressionAttributeNames"].values()], values)


def _bytes_of(names: Iterable[str], values: Iterable[dict[str, Any]]) -> int:
    written = sum(len(str(next(iter(value.values()))).encode()) for value in values)
    return written + sum(len(name) for name in names)


def _usage(size: int, accepting: Counts, delivering: Counts) -> Usage:
    return Usage(
        entities=size,
        accepting=_work("submissions", accepting),
        delivering=_work("submitter", delivering),
        body_bytes=accepting["body"],
        message_bytes=accepting["message"],
        write_units=delivering["write units"],
        receipt_units=delivering["receipt units"],
        read_units=accepting["read units"] + delivering["read units"],
        stored_bytes=delivering["stored"],
        log_bytes=accepting["log"] + delivering["log"],
    )


def _work(function: str, found: Counts) -> Work:
    return Work(memory_of(function), found["cpu"], found["waiting"])


def _result(usages: dict[int, Usage]) -> Result:
    found = [parts_of(usage) for usage in usages.values()]
    rows = [
        [name, *(f"{_amount(one[name][0])} ({_amount(one[name][1])})" for one in found)]
        for name in found[0]
    ]
    made_of = [
        [
            number(size),
            str(usage.accepting.billed_ms),
            str(usage.delivering.billed_ms),
            number(usage.write_units / size),
            number(usage.stored_bytes / size),
        ]
        for size, usage in usages.items()
    ]
    return Result(
        [
            Table(
                "Dollars per million incidents",
                ("part", *(f"submissions of {number(size)}" for size in usages)),
                rows,
            ),
            Table(
                "The components of the cost",
                (
                    "entities per submission",
                    "billed ms, accepting one",
                    "billed ms, delivering it",
                    "write units per entity, without transactions",
                    "bytes stored per entity",
                ),
                made_of,
            ),
        ]
    )


def _amount(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars >= 0.1 or not dollars else f"{dollars:.4f}"
