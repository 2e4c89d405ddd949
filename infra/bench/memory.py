"""`make bench-memory`: how much the submitter and the replayer hold at most."""

from typing import Any

from infra.bench.figures import Figure
from infra.bench.replays import peak, replayed
from infra.bench.result import Bar, Bars, Result, Table, at_most, number
from infra.bench.sample import event, states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, load

_MB = 1_000_000
_LIMIT = 256
_CHUNK = 5000


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    place = stand.place("memory")
    stand.screen.say(f"memory: an event of {sizes.event_bytes / _MB:.1f} MB …")
    full, count = _full_event(place.workspace_id, sizes.event_bytes)
    stand.screen.say(f"memory: the submitter on {count} incidents at once …")
    found = stand.run("infra.bench.memory:measure", message=full)
    stand.check_delivered(place, count, 1)
    replays = {size: max(run["peak"] for run in replayed(stand, size)) for size in sizes.records}
    return _result(found, count, sizes, replays)


def measure(message: dict[str, Any]) -> dict[str, float]:
    """Run as a subject, which is given the event as Lambda gives it."""
    at_init = peak()
    submitter = load("submitter")
    loaded = peak()
    submitter.handler(message, Context())
    return {"event": at_init, "loaded": loaded, "peak": peak()}


def _full_event(workspace_id: str, size: int) -> tuple[dict[str, Any], int]:
    """As many messages as Lambda hands over at once, and how many incidents they hold."""
    records: list[Any] = []
    left, count = size, 0
    while True:
        [*more] = event(workspace_id, states(_CHUNK, first=count), _CHUNK)["Records"]
        left -= sum(len(one["body"]) for one in more)
        if left < 0 and records:
            break
        for one in more:
            records.append(one | {"messageId": f"message-{len(records)}"})
        count += _CHUNK
    return {"Records": records}, count


def _result(found: dict[str, float], count: int, sizes: Sizes, replays: dict[int, float]) -> Result:
    rows = [
        ["the submitter, loaded, with the event", "", number(found["loaded"] / _MB)],
        [
            f"the submitter, an event of {sizes.event_bytes / _MB:.1f} MB",
            number(count),
            number(found["peak"] / _MB),
        ],
        *(
            ["the replayer, a whole record", number(size), number(most / _MB)]
            for size, most in replays.items()
        ),
    ]
    smallest, largest = (replays[size] for size in (sizes.records[0], sizes.records[-1]))
    return Result(
        "memory",
        "Memory",
        "The most memory that a new process has held (its resident set), Python and all libraries"
        " in it. The event is as full as Lambda's limit lets it be, of the sample's incidents; the"
        " replays are of one invocation each, however long it takes.",
        [Table("", ("function", "entities", "MB at most"), rows)],
        [
            at_most("the submitter on a full event", _exact(found["peak"] / _MB), _LIMIT, "MB"),
            at_most("the largest replay", _exact(largest / _MB), _LIMIT, "MB"),
            at_most("a replay's growth, largest to smallest", _exact(largest / smallest), 1.1),
        ],
        [
            Bars(
                "memory",
                "Memory held at most",
                "MB",
                [
                    Bar(
                        f"{row[0]}, {row[1]}".removesuffix(", "), _of(row), _of(row), _of(row), True
                    )
                    for row in rows
                ],
            )
        ],
    )


def _of(row: list[str]) -> float:
    return float(row[2].replace(",", ""))


def _exact(value: float) -> Figure:
    return Figure(value, value, value, 1)
