"""How many entities a second one workspace takes, with DynamoDB's limits and AWS's latencies.

`infra/bench/scale.py` includes it in `make bench-scale`. Nothing here knows the record's keys: the
tables throttle by whatever partition keys the requests name.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from infra.bench.messages import event
from infra.bench.pipeline import Given, Pipeline, pipeline
from infra.bench.result import Result, Table, at_least, exact, number
from infra.bench.sample import states
from infra.bench.sizes import Sizes
from infra.bench.stand import Place, Stand
from infra.lambdas.template import event_source_of

_BATCH = 1000
# The first seconds use up what the buckets of the partitions hold, so they don't count.
_SETTLING_SECONDS = 4.0
# More than the stand can deliver in a second; so the events don't run out.
_EVENTS_PER_SECOND = 10
_TARGET = 2000


def measured(stand: Stand, sizes: Sizes) -> Result:
    """Entities a second into one workspace, which is linked to one site."""
    submitters = int(event_source_of("submitter")["ScalingConfig"]["MaximumConcurrency"])
    place, warm = stand.place("throughput"), stand.place("throughput")
    stand.screen.say(f"throughput: {submitters} submitters at once, for one workspace …")
    with stand.stage.delayed_jira(), stand.stage.limited_tables():
        found = stand.run(
            "throughput:measure",
            given=asdict(Given.of(stand)),
            place=place,
            warm=warm,
            submitters=submitters,
            seconds=sizes.throughput_seconds,
        )
    rate = found["delivered"] * _BATCH / found["seconds"]
    row = [
        number(submitters),
        number(found["seconds"]),
        number(rate),
        number(found["delivered"]),
        number(found["failed"]),
    ]
    columns = ("submitters at once", "seconds", "entities/s", "events of 1,000", "of them failed")
    return Result(
        [Table("Into one workspace, with DynamoDB's limits", columns, [row])],
        [at_least("entities into one workspace", exact(rate), _TARGET, "/s")],
    )


def measure(
    given: dict[str, str], place: Place, warm: Place, submitters: int, seconds: float
) -> dict[str, float]:
    """Events delivered and failed within these seconds, after the first ones; in a new process."""
    lasts = _SETTLING_SECONDS + seconds
    events = [
        event(place["workspace_id"], states(_BATCH, first=number * _BATCH))
        for number in range(int(lasts * _EVENTS_PER_SECOND))
    ]
    with pipeline(Given(**given), warm) as running:
        stream = _Stream(running, events, time.monotonic() + lasts)
        counts_from = time.monotonic() + _SETTLING_SECONDS
        threads = [threading.Thread(target=stream.work) for _ in range(submitters)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {
        "delivered": sum(counts_from <= at <= stream.ends for at in stream.delivered),
        "failed": sum(counts_from <= at <= stream.ends for at in stream.failed),
        "seconds": seconds,
    }


class _Stream:
    """Hands events to submitters until `ends`; a failed one is invoked again, as by SQS."""

    def __init__(self, running: Pipeline, events: list[dict[str, Any]], ends: float) -> None:
        self.ends = ends
        self.delivered: list[float] = []
        self.failed: list[float] = []
        self._running = running
        self._events: Iterator[dict[str, Any]] = iter(events)
        self._lock = threading.Lock()

    def work(self) -> None:
        while time.monotonic() < self.ends and (message := self._next()):
            while self._running.deliver(message) and time.monotonic() < self.ends:
                self.failed.append(time.monotonic())
            self.delivered.append(time.monotonic())

    def _next(self) -> dict[str, Any] | None:
        with self._lock:
            return next(self._events, None)
