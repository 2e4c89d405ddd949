"""Replays of whole records, each in a new process: their CPU, requests and memory."""

import time
from functools import cache
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest

from infra.bench.aws_calls import watch
from infra.bench.filling import fill_record
from infra.bench.stand import Place, Stand
from infra.harness.drain import drain
from infra.lambdas.runtime import Context, load, sqs_event

# A small record has one page, so it is replayed several times.
_SMALL, _SMALL_RUNS = 5000, 5
_STATUS = Path("/proc/self/status")


@cache
def replayed(stand: Stand, count: int) -> list[dict[str, Any]]:
    """Runs with this many incidents each: `cpu`, seconds per page of a thousand; requests to
    `dynamodb` and to `jira`; `peak` bytes."""
    runs = []
    for _ in range(_SMALL_RUNS if count < _SMALL else 1):
        place = stand.place("replay")
        stand.screen.say(f"A replay of {count} incidents …")
        fill_record(stand, place, count)
        stand.stage.jira.forget_calls()
        found = replay(stand, place)
        calls = stand.stage.jira.calls()
        found["jira"] = sum(call["operation"] == "submitEntity" for call in calls)
        stand.check_delivered(place, count, 1)
        runs.append(found)
    return runs


def replay(stand: Stand, place: Place) -> dict[str, Any]:
    """Run the replay that began with the place's link, as a whole."""
    queue = stand.stage.environment["REPLAYS_QUEUE"]
    found: dict[str, Any] = stand.run("replays:measure", site=place["site"], queue=queue)
    return found


def measure(site: str, queue: str) -> dict[str, Any]:
    """Run as a subject."""
    hints = [one["Body"] for one in drain(boto3.client("sqs"), queue) if site in one["Body"]]
    pages = _Pages()
    watch(pages.see)
    load("replayer").handler(sqs_event(hints[:1]), Context())
    return {"cpu": pages.seconds, "dynamodb": pages.requests, "peak": peak()}


class _Pages:
    """Each page begins with a query of the record and ends before the next one; `seconds` is the
    CPU of each. The outcomes that it writes tell it from the queries before the first page."""

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
            now = time.process_time()
            if self._written:
                self.seconds.append(now - self._begun)
            self._begun, self._written = now, False
        self._last = name


def peak() -> float:
    """The most memory that this process has held so far, in bytes."""
    if _STATUS.exists():
        # getrusage starts with what the parent process held.
        lines = _STATUS.read_text().splitlines()
        [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return float(kilobytes) * 1024
    return float(getrusage(RUSAGE_SELF).ru_maxrss)
