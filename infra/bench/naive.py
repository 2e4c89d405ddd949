"""`make bench-naive`: Relay, and a request per incident, at Jiras that answer at once or later."""

from typing import Any

import httpx

from infra.bench.deliver import BULK, token
from infra.bench.environments import PYTHON
from infra.bench.figures import figure, ratio
from infra.bench.peer import Peer, peer
from infra.bench.result import Bars, Result, Table, at_least, bar, in_times, number, spread
from infra.bench.rounds import spent
from infra.bench.sample import bodies, event, states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, load

DELAYS = (0.0, 0.05)
RELAY = "Relay: the submitter"
LIBRARIES = ("requests", "httpx")

Seconds = dict[str, list[float]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    found: dict[float, Seconds] = {}
    for delay in DELAYS:
        ours, other = stand.place("naive"), stand.place("single")
        stand.screen.say(f"naive: Jira answers after {delay * 1000:.0f} ms …")
        stand.stage.jira.set(answerDelaySeconds=delay)
        try:
            found[delay] = stand.run(
                "infra.bench.naive:measure",
                ours=ours.given,
                other=other.given,
                size=sizes.entities,
                rounds=sizes.naive_rounds,
                singles=sizes.naive_singles,
            )
        finally:
            stand.stage.jira.set(answerDelaySeconds=0)
        stand.check_delivered(ours, sizes.entities, sizes.naive_rounds + 1)
    return _result(found, sizes)


def measure(
    ours: dict[str, str], other: dict[str, str], size: int, rounds: int, singles: int
) -> Seconds:
    """Seconds per entity, by round; run as a subject."""
    submitter = load("submitter")
    found: Seconds = {way: [] for way in (RELAY, *LIBRARIES)}
    with peer([str(PYTHON), "-P", "infra/bench/peers/naive.py"]) as loop:
        for number_ in range(rounds + 1):
            turn = states(size, sequence=number_ + 1)
            message = event(ours["workspace_id"], turn)
            ready = [bodies([state])[0].decode() for state in turn[:singles]]
            taken = {RELAY: _delivered(submitter, message) / size}
            taken |= {name: _posted(loop, name, other, ready) for name in LIBRARIES}
            # The first round loads what all later ones have.
            for way, seconds in taken.items() if number_ else ():
                found[way].append(seconds)
    return found


def _delivered(submitter: Any, message: dict[str, Any]) -> float:
    return spent(lambda: submitter.handler(message, Context())).wall


def _posted(loop: Peer, library: str, place: dict[str, str], bodies: list[str]) -> float:
    with httpx.Client(trust_env=False) as http:
        authorization = token(http, place)
    taken = loop.ask(
        library=library, url=place["base_url"] + BULK, authorization=authorization, bodies=bodies
    )
    return float(taken["wall"]) / len(bodies)


def _result(found: dict[float, Seconds], sizes: Sizes) -> Result:
    rows, times = [], {}
    for delay, seconds in found.items():
        for way, taken in seconds.items():
            speed = figure([1 / one for one in taken])
            times[delay, way] = ratio(taken, seconds[RELAY])
            ahead = "" if way == RELAY else in_times(times[delay, way])
            rows.append([f"{delay * 1000:.0f} ms", way, spread(speed), ahead])
    slowest = max(DELAYS)
    target = min((times[slowest, name] for name in LIBRARIES), key=lambda one: one.median)
    columns = ("Jira answers after", "way", "entities/s", "Relay is faster")
    return Result(
        "naive",
        "One request per incident",
        f"Relay brings {number(sizes.entities)} incidents from SQS's event to the outcome, and"
        f" writes record and outcomes on the way. The loops post {sizes.naive_singles} incidents,"
        " one request each on one kept connection, with ready-made bodies and tokens, and keep"
        " nothing.",
        [Table("", columns, rows)],
        [at_least("faster than either loop, at 50 ms", target, 150)],
        [
            Bars(
                "naive",
                "Entities per second, Jira answering after 50 ms",
                "entities/s",
                [
                    bar(way, figure([1 / one for one in taken]), way == RELAY)
                    for way, taken in found[slowest].items()
                ],
            )
        ],
        facts={"ahead_at_50_ms": target.median},
    )
