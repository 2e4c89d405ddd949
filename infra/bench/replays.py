"""One replay of a whole record, in a new process: what it calls, takes and holds."""

import resource
import sys
from functools import cache
from typing import Any

import boto3

from infra.bench.aws_calls import by_service, counted
from infra.bench.filling import fill_record
from infra.bench.rounds import spent
from infra.bench.sample import sqs_event
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, load

# What getrusage counts in: kilobytes, but for macOS.
_UNIT = 1 if sys.platform == "darwin" else 1024


@cache
def replayed(stand: Stand, count: int) -> dict[str, float]:
    """Of so many incidents: `wall` and `cpu` seconds, requests to each service, `peak` bytes."""
    place = stand.place("replay")
    stand.screen.say(f"A replay of {count} incidents …")
    fill_record(stand, place, count)
    stand.stage.jira.forget_calls()
    found: dict[str, float] = stand.run(
        "infra.bench.replays:measure",
        site=place.site.id,
        queue=stand.stage.environment["REPLAYS_QUEUE"],
    )
    calls = stand.stage.jira.calls()
    found["jira"] = sum(call["operation"] == "submitEntity" for call in calls)
    stand.check_delivered(place, count, 1)
    return found


def measure(site: str, queue: str) -> dict[str, float]:
    """Run as a subject: the link of the place has begun its replay, and told so in the queue."""
    sqs = boto3.client("sqs")
    hint = _hint(sqs, queue, site)
    counts = counted()
    replayer = load("replayer")
    before = peak()
    taken = spent(lambda: replayer.handler(sqs_event([hint]), Context()))
    services: dict[str, Any] = {name: float(count) for name, count in by_service(counts).items()}
    return services | {
        "wall": taken.wall,
        "cpu": taken.cpu,
        "peak": peak(),
        "at init": before,
    }


def peak() -> float:
    """The most memory that this process has held so far, in bytes."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT)


def _hint(sqs: Any, queue: str, site: str) -> str:
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if site in message["Body"]:
                return str(message["Body"])
    raise RuntimeError("There is no replay for this site in the queue.")
