"""`make bench-deliver`: the way from SQS's event to the outcomes, compared with plain loops.

Then the same with AWS's latencies, for which transactions run side by side.
"""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx

from infra.bench.aws_calls import watch
from infra.bench.messages import event, submit
from infra.bench.result import Figure, Result, Table, at_most, figure, number, ratio
from infra.bench.sample import bodies, states
from infra.bench.signing import BULK, authorization
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import Seconds, by_turns, spent
from infra.harness.latencies import Draws, install
from infra.lambdas.runtime import load
from relay import aws

RELAY = "Relay: the submitter"
AT_ONCE = "requests to DynamoDB side by side"
IN_A_ROW = "one request after the other"
SAME = "the same requests to Jira and AWS, ready-made"
BARE = "the same requests to Jira alone, ready-made"
SINGLE = "a request per incident to Jira alone, ready-made"

# Method, URL, headers, body.
Sent = tuple[str, str, dict[str, str], bytes]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures the submitter and the same requests without Relay."""
    place, other = stand.place("deliver"), stand.place("bare")
    size, rounds = sizes.entities, sizes.rounds
    stand.screen.say(f"deliver: {rounds} rounds of {size} incidents, four ways by turns …")
    found = stand.run(
        "deliver:measure", place=place, other=other, size=size, rounds=rounds, singles=sizes.singles
    )
    stand.check_delivered(place, size, rounds + 1)
    result = _result(found, size, sizes.singles)
    waiting = _with_latencies(stand, size, sizes.latency_rounds)
    return Result([*result.tables, *waiting.tables], [*result.targets, *waiting.targets])


def _with_latencies(stand: Stand, size: int, rounds: int) -> Result:
    place = stand.place("deliver")
    stand.screen.say(f"deliver: {rounds} rounds of {size} incidents, with AWS's latencies …")
    with stand.stage.delayed_jira():
        found: dict[str, list[float]] = stand.run(
            "deliver:waited", place=place, size=size, rounds=rounds
        )
    stand.check_delivered(place, size, 2 * (rounds + 1))
    rows = [[way, str(figure([1000 * one for one in each]))] for way, each in found.items()]
    share = ratio(found[AT_ONCE], found[IN_A_ROW])
    return Result(
        [Table(f"{number(size)} incidents, with AWS's latencies", ("way", "ms"), rows)],
        [at_most("time with AWS's latencies, to requests in a row", share, 0.45)],
    )


def waited(place: dict[str, str], size: int, rounds: int) -> dict[str, list[float]]:
    """Seconds by way and round, in a new process whose calls to AWS have latencies."""
    install(Draws("1"))
    submitter = load("submitter")
    ways = {AT_ONCE: aws.AT_ONCE, IN_A_ROW: 1}
    sequences = itertools.count(1)

    def deliver(at_once: int, _: int) -> float:
        aws.AT_ONCE = at_once
        message = event(place["workspace_id"], states(size, sequence=next(sequences)))
        return spent(partial(submit, submitter, message))["wall"]

    return by_turns({name: partial(deliver, count) for name, count in ways.items()}, rounds)


def measure(
    place: dict[str, str], other: dict[str, str], size: int, rounds: int, singles: int
) -> dict[str, list[Seconds]]:
    """Seconds by way and round, in a new process."""
    caught: list[Sent] = []
    watch(lambda _, request: caught.append(_sent(request)))
    submitter = load("submitter")
    turns = [states(size, sequence=number + 1) for number in range(rounds + 1)]
    events = [event(place["workspace_id"], turn) for turn in turns]
    ready = [bodies(turn) for turn in turns]
    single = [[bodies([state])[0] for state in turn[:singles]] for turn in turns]
    headers = {"Authorization": authorization(other), "Content-Type": "application/json"}
    workspace = place["workspace_id"].encode()

    def deliver(round_: int) -> Seconds:
        caught.clear()
        return spent(partial(submit, submitter, events[round_]))

    with httpx.Client(timeout=30, trust_env=False) as http:

        def post(messages: list[bytes]) -> None:
            for body in messages:
                answer = http.post(other["base_url"] + BULK, content=body, headers=headers)
                answer.raise_for_status()

        def same(round_: int) -> Seconds:
            # For a workspace that does not exist, because DynamoDB would reject the same writes.
            requests = [(*sent[:3], sent[3].replace(workspace, workspace[::-1])) for sent in caught]

            def send() -> None:
                for method, url, own, body in requests:
                    http.request(method, url, headers=own, content=body)
                post(ready[round_])

            return spent(send)

        ways: dict[str, Callable[[int], Seconds]] = {
            RELAY: deliver,
            SAME: same,
            BARE: lambda round_: spent(partial(post, ready[round_])),
            SINGLE: lambda round_: spent(partial(post, single[round_])),
        }
        return by_turns(ways, rounds)


def _sent(request: Any) -> Sent:
    body = request.body or b""
    headers = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    content = body.encode() if isinstance(body, str) else body
    return request.method, request.url, headers, content


def _result(found: dict[str, list[Seconds]], size: int, singles: int) -> Result:
    entities = {RELAY: size, SAME: size, BARE: size, SINGLE: singles}
    cpu = {way: [one["cpu"] / count for one in found[way]] for way, count in entities.items()}
    times = {way: ratio(cpu[RELAY], cpu[way]) for way in entities if way != RELAY}
    rows = [
        [
            way,
            str(figure([count / one["wall"] for one in found[way]])),
            str(_milliseconds(cpu[way])),
            times[way].times if way in times else "",
        ]
        for way, count in entities.items()
    ]
    columns = ("way", "entities/s", "CPU ms per 1,000 entities", "Relay's CPU to this")
    return Result(
        [Table("", columns, rows)],
        [at_most("CPU per entity, to the bare loop to Jira", times[BARE], 2.5)],
    )


def _milliseconds(seconds_per_entity: list[float]) -> Figure:
    """Per 1,000 entities."""
    return figure([seconds * 1_000_000 for seconds in seconds_per_entity])
