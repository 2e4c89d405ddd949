"""Replays of whole records, each in a new process: what they call, take and hold."""

import time
from functools import cache
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest

from infra.bench.aws_calls import watch
from infra.bench.filling import fill_record
from infra.bench.sample import sqs_event
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, load

# A small record has one page, so it is replayed several times.
_SMALL, _SMALL_RUNS = 5000, 5
_STATUS = Path("/proc/self/status")


@cache
def replayed(stand: Stand, count: int) -> list[dict[str, Any]]:
    """Runs on as many incidents each: `cpu`, seconds per page of a thousand; requests to
    `dynamodb` and to `jira`; `peak` bytes."""
    runs = _SMALL_RUNS if count < _SMALL else 1
    return [_replayed(stand, count) for _ in range(runs)]


def _replayed(stand: Stand, count: int) -> dict[str, Any]:
    place = stand.place("replay")
    stand.screen.say(f"A replay of {count} incidents …")
    fill_record(stand, place, count)
    stand.stage.jira.forget_calls()
    found: dict[str, Any] = stand.run(
        "infra.bench.replays:measure",
        site=place.site.id,
        queue=stand.stage.environment["REPLAYS_QUEUE"],
    )
    calls = stand.stage.jira.calls()
    found["jira"] = sum(call["operation"] == "submitEntity" for call in calls)
    stand.check_delivered(place, count, 1)
    return found


def measure(site: str, queue: str) -> dict[str, Any]:
    """Run as a subject: the link of the place has begun its replay, and told so in the queue."""
    sqs = boto3.client("sqs")
    hint = _hint(sqs, queue, site)
    pages = _Pages()
    watch(pages.see)
    replayer = load("replayer")
    replayer.handler(sqs_event([hint]), Context())
    return {"cpu": pages.seconds, "dynamodb": pages.requests, "peak": peak()}


class _Pages:
    """Tells pages apart: each begins with the query of the record that reads it, and writes the
    outcomes before the next one's. `seconds` are of this process, for each page."""

    def __init__(self) -> None:
        self.requests = 0
        self.seconds: list[float] = []
        self._begun = 0.0
        self._written = False
        self._last = ""

    def see(self, name: str, _: AWSPreparedRequest) -> None:
        self.requests += name.startswith("dynamodb.")
        self._written |= name == "dynamodb.TransactWriteItems"
        if name == "dynamodb.Query" != self._last:
            self._turn(time.process_time())
        self._last = name

    def _turn(self, now: float) -> None:
        if self._written:
            self.seconds.append(now - self._begun)
        self._begun, self._written = now, False


def peak() -> float:
    """The most memory that this process has held so far, in bytes."""
    if _STATUS.exists():
        # What getrusage says is at least what the process held that this one was started by.
        lines = _STATUS.read_text().splitlines()
        [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return float(kilobytes) * 1024
    return float(getrusage(RUSAGE_SELF).ru_maxrss)


def _hint(sqs: Any, queue: str, site: str) -> str:
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if site in message["Body"]:
                return str(message["Body"])
    raise RuntimeError("There is no replay for this site in the queue.")
