"""Measures replays of whole records, each in a new process: CPU, requests and memory."""

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
    """The measurements of runs with this many incidents each.

    `cpu` has the seconds per page of a thousand, `dynamodb` and `jira` the numbers of requests, and
    `peak` the bytes of memory.
    """
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
    """Runs the whole replay that the place's link started, and returns its measurements."""
    queue = stand.stage.environment["REPLAYS_QUEUE"]
    found: dict[str, Any] = stand.run("replays:measure", site=place["site"], queue=queue)
    return found


def measure(site: str, queue: str) -> dict[str, Any]:
    """CPU seconds per page, requests to DynamoDB and peak memory, in a new process."""
    hints = [one["Body"] for one in drain(boto3.client("sqs"), queue) if site in one["Body"]]
    pages = _Pages()
    watch(pages.see)
    load("replayer").handler(sqs_event(hints[:1]), Context())
    return {"cpu": pages.seconds, "dynamodb": pages.requests, "peak": peak()}


class _Pages:
    """Measures the CPU `seconds` of each page.

    A page starts with a query of the record and ends before the next query. It writes outcomes,
    unlike the queries before the first page.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.seconds: list[float] = []
        self._started = 0.0
        self._written = False
        self._last = ""

    def see(self, name: str, _: AWSPreparedRequest) -> None:
        self.requests += name.startswith("dynamodb.")
        self._written |= name == "dynamodb.TransactWriteItems"
        if name == "dynamodb.Query" != self._last:
            now = time.process_time()
            if self._written:
                self.seconds.append(now - self._started)
            self._started, self._written = now, False
        self._last = name


def peak() -> float:
    """The peak memory of this process so far, in bytes."""
    if _STATUS.exists():
        # getrusage starts with the parent process's peak.
        lines = _STATUS.read_text().splitlines()
        [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return float(kilobytes) * 1024
    return float(getrusage(RUSAGE_SELF).ru_maxrss)
