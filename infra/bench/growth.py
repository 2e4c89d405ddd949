"""`make bench-growth`: what an entity costs as the record grows."""

from functools import partial
from typing import Any

from infra.bench.aws_calls import by_service, counted
from infra.bench.figures import Figure, figure, ratio
from infra.bench.filling import fill_record
from infra.bench.replays import replayed
from infra.bench.result import Lines, Result, Table, at_most, in_times, number, spread
from infra.bench.rounds import spent
from infra.bench.sample import event, states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, load

# By the record's size: seconds of CPU by turn, and requests to AWS in each turn.
Found = dict[str, dict[str, list[float]]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    places = {}
    for count in sizes.records:
        place = stand.place("growth")
        stand.screen.say(f"growth: a record of {count} incidents …")
        fill_record(stand, place, count)
        places[str(count)] = place.workspace_id
    batch = min(sizes.entities, *sizes.records)
    stand.screen.say(f"growth: {sizes.rounds} turns of {batch} new states in each …")
    found = stand.run("infra.bench.growth:measure", places=places, batch=batch, rounds=sizes.rounds)
    replays = {count: replayed(stand, count) for count in sizes.records}
    return _result(found, replays, sizes, batch)


def measure(places: dict[str, str], batch: int, rounds: int) -> Found:
    """Run as a subject."""
    counts = counted()
    submitter = load("submitter")
    found: Found = {size: {"cpu": [], "calls": []} for size in places}
    for turn in range(rounds + 1):
        for size, workspace_id in places.items():
            message = event(workspace_id, states(batch, sequence=turn + 2))
            counts.clear()
            cpu = spent(partial(submitter.handler, message, Context())).cpu
            # The first turn decrypts the sites' secrets.
            if turn:
                found[size]["cpu"].append(cpu / batch)
                found[size]["calls"].append(sum(by_service(counts).values()))
    return found


def _result(
    found: Found, replays: dict[int, list[dict[str, Any]]], sizes: Sizes, batch: int
) -> Result:
    smallest, largest = sizes.records[0], sizes.records[-1]
    cpu = {size: found[str(size)]["cpu"] for size in sizes.records}
    calls = {size: figure(found[str(size)]["calls"]).median for size in sizes.records}
    rows = [
        [
            number(size),
            spread(_per_1000(cpu[size])),
            in_times(ratio(cpu[size], cpu[smallest])),
            number(calls[size]),
        ]
        for size in sizes.records
    ]
    pages = {size: _pages(runs) for size, runs in replays.items()}
    requests = {size: _requests(size, runs) for size, runs in replays.items()}
    replay_rows = [
        [
            number(size),
            spread(pages[size]),
            in_times(_relative(pages[size], pages[smallest])),
            number(requests[size]["dynamodb"]),
            number(requests[size]["jira"]),
        ]
        for size in sizes.records
    ]
    replay_cpu = _relative(pages[largest], pages[smallest])
    flat = calls[largest] / calls[smallest]
    return Result(
        "growth",
        "A growing record",
        f"{number(batch)} incidents of the record change, and are delivered; records of all sizes"
        " stand side by side and take turns. Then each is replayed to a new site as a whole, in one"
        " process. CPU is that of the function's process; DynamoDB's answer is by key and does not"
        " depend on the size.",
        [
            Table(
                "Changes",
                (
                    "record",
                    "CPU ms per 1,000 entities",
                    "to the smallest",
                    f"requests to AWS per {number(batch)} entities",
                ),
                rows,
            ),
            Table(
                "A replay of all of it, per page of 1,000 entities",
                ("record", "CPU ms", "to the smallest", "requests to DynamoDB", "requests to Jira"),
                replay_rows,
            ),
        ],
        [
            at_most(
                "CPU of a change, largest to smallest", ratio(cpu[largest], cpu[smallest]), 1.1
            ),
            at_most("requests of a change, largest to smallest", _exact(flat), 1),
            at_most("CPU of a replay, largest to smallest", replay_cpu, 1.1),
            at_most(
                "requests of a replay, largest to smallest",
                _exact(requests[largest]["dynamodb"] / requests[smallest]["dynamodb"]),
                1,
            ),
        ],
        lines=[
            Lines(
                "growth",
                "CPU per 1,000 entities as the record grows",
                "ms",
                "incidents in the record",
                sizes.records,
                {
                    "a change": [_per_1000(cpu[size]).median for size in sizes.records],
                    "a replay": [pages[size].median for size in sizes.records],
                },
            )
        ],
        notes=[
            "The first page of a process costs more than those after it, and the smallest record"
            " has no other.",
        ],
        facts={
            "replay_cpu_ms_per_1000": pages[largest].median,
            "replay_dynamodb_per_1000": requests[largest]["dynamodb"],
        },
    )


def _per_1000(seconds_per_entity: list[float]) -> Figure:
    return figure([seconds * 1_000_000 for seconds in seconds_per_entity])


def _pages(runs: list[dict[str, Any]]) -> Figure:
    """CPU in milliseconds per page of a thousand."""
    return figure([seconds * 1000 for run in runs for seconds in run["cpu"]])


def _relative(one: Figure, other: Figure) -> Figure:
    """Pages have no turns: the medians are compared, and the spread is the first one's."""
    by = other.median
    return Figure(one.median / by, one.low / by, one.high / by, one.runs)


def _requests(count: int, runs: list[dict[str, Any]]) -> dict[str, float]:
    """Per thousand entities; every run of a size makes the same."""
    return {name: runs[0][name] * 1000 / count for name in ("dynamodb", "jira")}


def _exact(value: float) -> Figure:
    return Figure(value, value, value, 1)
