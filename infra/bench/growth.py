"""`make bench-growth`: the cost of an entity as the record grows."""

from functools import partial
from typing import Any

from infra.bench.aws_calls import counted
from infra.bench.filling import fill_large_record
from infra.bench.messages import event, submit
from infra.bench.replays import replayed
from infra.bench.result import Figure, Result, Table, at_most, exact, figure, number, ratio
from infra.bench.sample import states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import by_turns, spent
from infra.lambdas.runtime import load

# By size of the record: CPU seconds per entity and requests to AWS, for each turn.
Found = dict[str, list[tuple[float, int]]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures changes and replays in records of several sizes."""
    places = {}
    for count in sizes.records:
        place = stand.place("growth")
        stand.screen.say(f"growth: a record of {count} incidents …")
        fill_large_record(stand, place, count)
        places[str(count)] = place["workspace_id"]
    batch = min(sizes.entities, *sizes.records)
    stand.screen.say(f"growth: {sizes.rounds} turns of {batch} new states in each …")
    found = stand.run("growth:measure", places=places, batch=batch, rounds=sizes.rounds)
    replays = {count: replayed(stand, count) for count in sizes.replays}
    return _result(found, replays, batch)


def measure(places: dict[str, str], batch: int, rounds: int) -> Found:
    """CPU and requests by record and turn, in a new process."""
    counts = counted()
    submitter = load("submitter")

    def change(workspace_id: str, round_: int) -> tuple[float, int]:
        message = event(workspace_id, states(batch, sequence=round_ + 2))
        counts.clear()
        return spent(partial(submit, submitter, message))["cpu"] / batch, counts.total()

    return by_turns({size: partial(change, one) for size, one in places.items()}, rounds)


def _result(found: Found, replays: dict[int, list[dict[str, Any]]], batch: int) -> Result:
    sizes = [int(size) for size in found]
    small, *_, large = sizes
    smallest, *_, largest = replays
    cpu = {size: [seconds for seconds, _ in found[str(size)]] for size in sizes}
    calls = {size: figure([count for _, count in found[str(size)]]).median for size in sizes}
    changes = [
        [
            number(size),
            str(figure([seconds * 1_000_000 for seconds in cpu[size]])),
            ratio(cpu[size], cpu[small]).times,
            number(calls[size]),
        ]
        for size in sizes
    ]
    pages = {
        size: figure([seconds * 1000 for run in runs for seconds in run["cpu"]])
        for size, runs in replays.items()
    }
    # All runs of a size make the same requests.
    requests = {
        size: {name: runs[0][name] * 1000 / size for name in ("dynamodb", "jira")}
        for size, runs in replays.items()
    }
    replay_rows = [
        [
            number(size),
            str(pages[size]),
            _relative(pages[size], pages[smallest]).times,
            number(requests[size]["dynamodb"]),
            number(requests[size]["jira"]),
        ]
        for size in replays
    ]
    replay_growth = requests[largest]["dynamodb"] / requests[smallest]["dynamodb"]
    calls_growth = calls[large] / calls[small]
    slower = ratio(cpu[large], cpu[small])
    replay_slower = _relative(pages[largest], pages[smallest])
    return Result(
        [
            Table(
                "Changes",
                (
                    "record",
                    "CPU ms per 1,000 entities",
                    "to the smallest",
                    f"requests to AWS per {number(batch)} entities",
                ),
                changes,
            ),
            Table(
                "A replay of the whole record, per page of 1,000 entities",
                ("record", "CPU ms", "to the smallest", "requests to DynamoDB", "requests to Jira"),
                replay_rows,
            ),
        ],
        [
            at_most("CPU of a change, largest to smallest", slower, 1.1),
            at_most("requests of a change, largest to smallest", exact(calls_growth), 1),
            at_most("CPU of a replay, largest to smallest", replay_slower, 1.1),
            at_most("requests of a replay, largest to smallest", exact(replay_growth), 1),
        ],
    )


def _relative(one: Figure, other: Figure) -> Figure:
    """Relative to the other's median, with the figure's own spread, because pages have no turns."""
    return Figure(one.median / other.median, one.low / other.median, one.high / other.median)
