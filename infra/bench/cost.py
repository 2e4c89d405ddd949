"""`make bench-cost`: dollars per million incidents, from what is counted here and listed prices."""

import json
import os
import sys
from collections import Counter
from functools import partial
from math import ceil
from typing import Any

import boto3

from infra.bench.aws_calls import watch
from infra.bench.calls import drained
from infra.bench.cost_model import Assumed, Function, Part, Usage, parts
from infra.bench.prices import AS_OF, REGION, WRITE_UNIT
from infra.bench.result import Bar, Bars, Result, Table, number
from infra.bench.rounds import spent
from infra.bench.sample import incidents, sqs_event
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, http_event, load
from infra.lambdas.template import functions, template

# Entities per submission, each submission delivered by an invocation of its own.
SHAPES = {
    1: "a change at a time: each is submitted and delivered alone",
    100: "a hundred at a time",
    1000: "a thousand at a time, as an import or a busy tool's feed",
}
_SUBMISSIONS = 12


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    usages = {}
    for size in (one for one in SHAPES if one <= sizes.calls):
        place = stand.place("cost")
        stand.screen.say(f"cost: submissions of {size} …")
        found = stand.run(
            "infra.bench.cost:measure",
            workspace_id=place.workspace_id,
            api_key=stand.stage.api_key,
            queue=stand.stage.environment["SUBMISSIONS_QUEUE"],
            size=size,
        )
        usages[size] = _usage(found, size)
    return _result(usages)


def measure(workspace_id: str, api_key: str, queue: str, size: int) -> dict[str, dict[str, float]]:
    """What one submission takes, and what its delivery takes; run as a subject."""
    sqs = boto3.client("sqs")
    meter = _Meter()
    watch(meter.see)
    taker, submitter = load("submissions"), load("submitter")
    path = f"/v1/workspaces/{workspace_id}/submissions"
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    totals: dict[str, Counter[str]] = {"taking": Counter(), "delivering": Counter()}
    for turn in range(_SUBMISSIONS + 1):
        body = json.dumps({"incidents": list(incidents(size, first=turn * size))})
        event = http_event("POST", path, body, headers)
        taking = meter.read(partial(taker.handler, event, Context()))
        [message] = drained(sqs, queue)
        meter.counts.clear()
        delivering = meter.read(partial(submitter.handler, sqs_event([message]), Context()))
        taking |= {"body": float(len(body)), "message": float(len(message))}
        # The first of each decrypts the site's secret, and opens connections.
        if turn:
            totals["taking"].update(taking)
            totals["delivering"].update(delivering)
    return {
        name: {key: value / _SUBMISSIONS for key, value in total.items()}
        for name, total in totals.items()
    }


class _Meter:
    """What DynamoDB and SQS are asked for, in the units that they bill."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def see(self, name: str, request: Any) -> None:
        service, _, operation = name.partition(".")
        if service != "dynamodb":
            self.counts["sends"] += service == "sqs"
            return
        asked = json.loads(request.body)
        if operation == "TransactWriteItems":
            self._see_writes(asked["TransactItems"])
        else:
            keys = [one["Keys"] for one in asked.get("RequestItems", {}).values()]
            self.counts["reads"] += 1
            self.counts["read units"] += max(sum(map(len, keys)), 1)

    def read(self, work: Any) -> dict[str, float]:
        """Of this work: the counts, `cpu` milliseconds and bytes of log."""
        sys.stdout.flush()
        self.counts.clear()
        logged = os.fstat(1).st_size
        cpu = spent(work).cpu * 1000
        sys.stdout.flush()
        return dict(self.counts) | {"cpu": cpu, "log": os.fstat(1).st_size - logged}

    def _see_writes(self, items: list[dict[str, Any]]) -> None:
        self.counts["transactions"] += 1
        for item in items:
            size = _item_bytes(item["Update"])
            self.counts["stored"] += size
            self.counts["write units"] += ceil(size / WRITE_UNIT)


def _item_bytes(update: dict[str, Any]) -> int:
    """About what DynamoDB counts: names and values, in bytes."""
    values = [*update["Key"].values(), *update["ExpressionAttributeValues"].values()]
    names = [*update["Key"], *update["ExpressionAttributeNames"].values()]
    written = sum(len(str(next(iter(value.values()))).encode()) for value in values)
    return written + sum(len(name) for name in names)


def _usage(found: dict[str, dict[str, float]], size: int) -> Usage:
    taking, delivering = found["taking"], found["delivering"]
    return Usage(
        entities=size,
        taking=_function("submissions", taking, 0),
        delivering=_function("submitter", delivering, ceil(size / 1000)),
        body_bytes=taking["body"],
        message_bytes=taking["message"],
        write_units=delivering["write units"],
        read_units=taking["read units"] + delivering["read units"],
        stored_bytes=delivering["stored"],
        log_bytes=taking["log"] + delivering["log"],
        jira_bytes=taking["body"],
    )


def _function(name: str, found: dict[str, float], jira: float) -> Function:
    default = template()["Globals"]["Function"]["MemorySize"]
    return Function(
        memory_mb=functions()[name].get("MemorySize", default),
        cpu_ms=found["cpu"],
        reads=found.get("reads", 0),
        transactions=found.get("transactions", 0),
        sends=found.get("sends", 0),
        jira=jira,
    )


def _result(usages: dict[int, Usage]) -> Result:
    assumed = Assumed()
    by_shape = {size: parts(usage) for size, usage in usages.items()}
    names = [one.name for one in next(iter(by_shape.values()))]
    rows = [
        [name, *(_dollars(_named(found, name)) for found in by_shape.values())] for name in names
    ]
    rows.append(["all", *(_dollars(_sum(found)) for found in by_shape.values())])
    billed = [
        [
            number(size),
            str(usage.taking.billed_ms(assumed)),
            str(usage.delivering.billed_ms(assumed)),
            number(usage.write_units / size),
            number(usage.stored_bytes / size),
        ]
        for size, usage in usages.items()
    ]
    columns = ("part", *(f"submissions of {number(size)}" for size in by_shape))
    shapes = "; ".join(f"{number(size)}: {SHAPES[size]}" for size in by_shape)
    return Result(
        "cost",
        "What it costs on AWS",
        f"Dollars per million incidents, delivered to one site, at AWS's list prices in {REGION}"
        f" ({AS_OF}, `infra/bench/prices.py`), without a free tier. In parentheses is what could"
        " not be avoided: the requests themselves, one plain write per state and per outcome, and"
        f" the time that others take to answer. The shapes are submissions of {shapes}.",
        [
            Table("Dollars per million incidents", columns, rows),
            Table(
                "What it is made of",
                (
                    "entities per submission",
                    "billed ms, taking one",
                    "billed ms, delivering it",
                    "write units per entity, without transactions",
                    "bytes kept per entity",
                ),
                billed,
            ),
        ],
        bars=[
            Bars(
                "cost",
                "Dollars per million incidents",
                "$",
                [
                    Bar(f"submissions of {number(size)}", total, total, total, True)
                    for size, found in by_shape.items()
                    for total in [_sum(found).dollars]
                ],
            )
        ],
        notes=[
            "Counted here: requests, units, bytes, log, and milliseconds of a core; a function of"
            " less than 1,769 MB has a share of one. Assumed, as there is no AWS here:"
            f" {number(assumed.read_ms)} ms per read, {number(assumed.transaction_ms)} ms per"
            f" transaction, {number(assumed.send_ms)} ms per message, {number(assumed.jira_ms)} ms"
            " per call of Jira, and that arm64 is as fast as this machine. More sites cost the"
            " delivery again for each; KMS is asked once per new container and site.",
            "Besides, and independent of use: a KMS key ($1 a month), alarms and metrics"
            " ($0.10 and $0.30 a month each), and the polling of idle queues.",
        ],
    )


def _named(found: list[Part], name: str) -> Part:
    return next(one for one in found if one.name == name)


def _sum(found: list[Part]) -> Part:
    return Part("all", sum(one.dollars for one in found), sum(one.needed for one in found))


def _dollars(part: Part) -> str:
    return f"{_amount(part.dollars)} ({_amount(part.needed)})"


def _amount(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars >= 0.1 or not dollars else f"{dollars:.4f}"
