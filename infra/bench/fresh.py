"""`make bench-fresh`: seconds from Relay's 202 to Jira's 202, with AWS's latencies and limits."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from math import ceil
from typing import Any

from infra.bench.pipeline import Given, Pipeline, pipeline
from infra.bench.result import Result, Table, Target, at_most, exact, number, percentile
from infra.bench.sample import incident_id, incidents
from infra.bench.sizes import FreshSizes, Sizes
from infra.bench.stand import Place, Stand
from infra.harness.latencies import JIRA_SECONDS, LATENCIES
from infra.lambdas.template import event_source_of

# The batching windows that are compared, in seconds.
WINDOWS = (1, 2)
_SUBMISSION = 1000
_SENDERS = 16
# One incident per so many seconds, while another workspace imports.
_EVERY_SECONDS = 0.5
_NAMES = {
    "at rest": "one at rest",
    "together": "{at_once} at once, in one submission",
    "apart": "{at_once} at once, each its own submission",
    "steady": "{rate} a second for {seconds} s, each its own submission",
    "import": "one every half second, while another workspace imports {imported}",
}

# By phase: `fresh` are seconds, one per incident; `rate` is the submissions a second that were
# accepted, `calls` are Jira's per second of the phase.
Found = dict[str, dict[str, Any]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures the freshness in every load, and with the other batching window."""
    names = ("warm", *_NAMES, "importer", *(f"window {window}" for window in WINDOWS))
    places = {name: stand.place("fresh") for name in names}
    stand.screen.say("fresh: one at rest, a thousand at once, a steady load, an import …")
    with stand.stage.delayed_jira(), stand.stage.limited_tables():
        found: Found = stand.run(
            "fresh:measure",
            given=asdict(Given.of(stand)),
            places=places,
            sizes=asdict(sizes.fresh),
        )
    # The next benchmark expects an empty queue.
    stand.stage.sqs.purge_queue(QueueUrl=stand.stage.environment["SUBMISSIONS_QUEUE"])
    return _result(found, sizes.fresh)


def measure(given: dict[str, str], places: dict[str, Place], sizes: dict[str, int]) -> Found:
    """All phases, in a new process; the template's batching window comes first."""
    own, size = _template_window(), FreshSizes(**sizes)
    found: Found = {}
    with pipeline(Given(**given), places["warm"]) as running:
        with running.polled():
            found["at rest"] = _at_rest(running, places["at rest"], size.at_rest)
            found["together"] = _together(running, places["together"], size)
            found["apart"] = _apart(running, places["apart"], size.at_once)
            found["steady"] = _steady(running, places["steady"], size.rate, size.seconds)
        for window in WINDOWS:
            if window == own:
                continue
            place = places[f"window {window}"]
            with running.polled(window):
                rest = _at_rest(running, place, size.window_at_rest)
                load = _steady(running, place, size.rate, size.window_seconds, first=50_000)
            found[f"window {window}"] = {"fresh": rest["fresh"], "load": load}
        # Last, because an import may leave messages in the queue.
        with running.polled() as source:
            found["import"] = _imported(running, places["import"], places["importer"], size)
            found["import"]["errors"] = source.errors
    return found


def _template_window() -> int:
    return int(event_source_of("submitter")["MaximumBatchingWindowInSeconds"])


# --- Phases ---


def _at_rest(running: Pipeline, place: Place, count: int) -> dict[str, Any]:
    fresh: list[float] = []
    for one in range(count):
        submitted = {incident_id(one): running.submit(place, list(incidents(1, first=one)))}
        fresh += running.freshness(place, submitted)
    return {"fresh": fresh}


def _together(running: Pipeline, place: Place, size: FreshSizes) -> dict[str, Any]:
    fresh: list[float] = []
    for round_ in range(size.rounds):
        first = round_ * size.at_once
        at = running.submit(place, list(incidents(size.at_once, first=first)))
        ids = map(incident_id, range(first, first + size.at_once))
        fresh += running.freshness(place, dict.fromkeys(ids, at))
    return {"fresh": fresh}


def _apart(running: Pipeline, place: Place, count: int) -> dict[str, Any]:
    started = time.time()
    with ThreadPoolExecutor(_SENDERS) as senders:
        times = list(senders.map(lambda one: _submit_one(running, place, one), range(count)))
    submitted = {incident_id(one): at for one, at in enumerate(times)}
    return {
        "fresh": running.freshness(place, submitted),
        "rate": count / (max(times) - started),
    }


def _steady(
    running: Pipeline, place: Place, rate: int, seconds: int, first: int = 0
) -> dict[str, Any]:
    running.jira.forget_calls()
    started = time.time()
    with ThreadPoolExecutor(2 * _SENDERS) as senders:
        sent = []
        for one in range(rate * seconds):
            time.sleep(max(started + one / rate - time.time(), 0))
            sent.append(senders.submit(_submit_one, running, place, first + one))
    times = [one.result() for one in sent]
    submitted = {incident_id(first + one): at for one, at in enumerate(times)}
    fresh = running.freshness(place, submitted)
    calls = sum(call["incidents"] > 0 for call in running.jira.calls())
    lasted = max(times) - started
    return {"fresh": fresh, "rate": len(times) / lasted, "calls": calls / lasted}


def _imported(running: Pipeline, place: Place, other: Place, size: FreshSizes) -> dict[str, Any]:
    """Single incidents of one place, while the other submits thousands."""
    imported: dict[str, float] = {}

    def import_all() -> None:
        for first in range(0, size.imported, _SUBMISSION):
            at = running.submit(other, list(incidents(_SUBMISSION, first=first)))
            imported.update(dict.fromkeys(map(incident_id, range(first, first + _SUBMISSION)), at))

    importing = threading.Thread(target=import_all)
    started = time.time()
    importing.start()
    submitted: dict[str, float] = {}
    for one in range(ceil(size.import_seconds / _EVERY_SECONDS)):
        time.sleep(max(started + one * _EVERY_SECONDS - time.time(), 0))
        submitted[incident_id(one)] = _submit_one(running, place, one)
    importing.join()
    fresh = running.freshness(place, submitted)
    slowest = max(running.freshness(other, imported))
    rate = size.imported / (max(imported.values()) - started)
    return {"fresh": fresh, "imported": rate, "slowest": slowest}


def _submit_one(running: Pipeline, place: Place, one: int) -> float:
    return running.submit(place, list(incidents(1, first=one)))


# --- Result ---


def _result(found: Found, sizes: FreshSizes) -> Result:
    rows = [
        [
            name.format(**{key: number(value) for key, value in asdict(sizes).items()}),
            number(len(found[phase]["fresh"])),
            number(percentile(found[phase]["fresh"], 50)),
            number(percentile(found[phase]["fresh"], 99)),
            _more(found[phase]),
        ]
        for phase, name in _NAMES.items()
    ]
    columns = ("load", "incidents", "p50 s", "p99 s", "")
    return Result(
        [
            Table("From Relay's 202 to Jira's 202", columns, rows),
            _windows(found),
            _latencies(),
        ],
        _targets(found),
    )


def _more(phase: Mapping[str, Any]) -> str:
    if "errors" in phase:
        failed = f"{len(phase['errors'])} invocations failed"
        import_ = f"{number(phase['imported'])} a second accepted"
        return f"the import: {import_}, p100 {number(phase['slowest'])} s, {failed}"
    said = [f"{number(phase['rate'])} submissions/s accepted"] if "rate" in phase else []
    said += [f"{number(phase['calls'])} calls to Jira/s"] if "calls" in phase else []
    return ", ".join(said)


def _windows(found: Found) -> Table:
    own = {"fresh": found["at rest"]["fresh"], "load": found["steady"]}
    measured = {
        window: own if window == _template_window() else found[f"window {window}"]
        for window in WINDOWS
    }
    rows = [
        [
            f"{window} s{', as in the template' if measured[window] is own else ''}",
            number(percentile(one["fresh"], 50)),
            number(percentile(one["fresh"], 99)),
            number(percentile(one["load"]["fresh"], 50)),
            number(percentile(one["load"]["fresh"], 99)),
            number(one["load"]["calls"]),
        ]
        for window, one in measured.items()
    ]
    columns = (
        "batching window",
        "at rest, p50 s",
        "p99 s",
        "steady load, p50 s",
        "p99 s",
        "calls/s",
    )
    return Table("The batching window", columns, rows)


def _latencies() -> Table:
    rows = [
        [name, number(one.median), number(one.p99), number(one.each), one.source]
        for name, one in LATENCIES.items()
    ]
    rows.append(["Jira", number(JIRA_SECONDS * 1000), number(JIRA_SECONDS * 1000), "0", "assumed"])
    columns = ("call", "median ms", "p99 ms", "more per item", "source")
    return Table("The latencies", columns, rows)


def _targets(found: Found) -> list[Target]:
    def most(what: str, phase: str, percent: float, limit: float) -> Target:
        return at_most(what, exact(percentile(found[phase]["fresh"], percent)), limit, "s")

    return [
        most("one at rest, p50", "at rest", 50, 1.5),
        most("one at rest, p99", "at rest", 99, 2.5),
        most("a thousand at once in one submission, p99", "together", 99, 3),
        most("a thousand submissions at once, p99", "apart", 99, 3),
        most("a hundred a second, p99", "steady", 99, 3),
    ]
