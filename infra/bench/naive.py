"""`make bench-naive`: Relay and one request per incident, with a fast and a slow Jira."""

from functools import partial

from infra.bench.messages import event, submit
from infra.bench.peer import PEERS, PYTHON, peer
from infra.bench.result import Result, Table, at_least, figure, ratio
from infra.bench.sample import bodies, states
from infra.bench.signing import BULK, authorization
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import by_turns, spent
from infra.lambdas.runtime import load

DELAYS = (0.0, 0.05)
RELAY = "Relay: the submitter"
LIBRARIES = ("requests", "httpx")

# Seconds per entity, by way and round.
SecondsEach = dict[str, list[float]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Compares the submitter with loops in two HTTP libraries."""
    found: dict[float, SecondsEach] = {}
    for delay in DELAYS:
        place, other = stand.place("naive"), stand.place("single")
        stand.screen.say(f"naive: Jira answers after {delay * 1000:.0f} ms …")
        with stand.stage.delayed_jira(delay):
            found[delay] = stand.run(
                "naive:measure",
                place=place,
                other=other,
                size=sizes.entities,
                rounds=sizes.naive_rounds,
                singles=sizes.naive_singles,
            )
        stand.check_delivered(place, sizes.entities, sizes.naive_rounds + 1)
    return _result(found)


def measure(
    place: dict[str, str], other: dict[str, str], size: int, rounds: int, singles: int
) -> SecondsEach:
    """Seconds per entity by way and round, in a new process."""
    submitter = load("submitter")
    turns = [states(size, sequence=number + 1) for number in range(rounds + 1)]
    events = [event(place["workspace_id"], turn) for turn in turns]
    ready = [[bodies([state])[0].decode() for state in turn[:singles]] for turn in turns]

    def deliver(round_: int) -> float:
        return spent(partial(submit, submitter, events[round_]))["wall"] / size

    with peer([str(PYTHON), "-P", str(PEERS / "naive.py")]) as loop:

        def post(library: str, round_: int) -> float:
            answer = loop.ask(
                library=library,
                url=other["base_url"] + BULK,
                authorization=authorization(other),
                bodies=ready[round_],
            )
            return float(answer["wall"]) / singles

        ways = {RELAY: deliver} | {name: partial(post, name) for name in LIBRARIES}
        return by_turns(ways, rounds)


def _result(found: dict[float, SecondsEach]) -> Result:
    rows, speedup = [], {}
    for delay, seconds in found.items():
        for way, each in seconds.items():
            speedup[delay, way] = ratio(each, seconds[RELAY])
            speed = figure([1 / one for one in each])
            times = "" if way == RELAY else speedup[delay, way].times
            rows.append([f"{delay * 1000:.0f} ms", way, str(speed), times])
    slowest = min((speedup[max(DELAYS), name] for name in LIBRARIES), key=lambda one: one.median)
    return Result(
        [Table("", ("Jira answers after", "way", "entities/s", "Relay is faster"), rows)],
        [at_least("faster than either loop, at 50 ms", slowest, 150)],
    )
