"""`make bench-deliver`: from SQS's event to the outcomes, against bare loops."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from infra.bench.aws_calls import watch
from infra.bench.figures import Figure, figure, ratio
from infra.bench.result import Bars, Result, Table, at_most, bar, in_times, number, spread
from infra.bench.rounds import by_turns
from infra.bench.sample import bodies, event, states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.chaos.stage import APP_KEY
from infra.lambdas.runtime import Context, load
from relay.entities.model import EntityState
from relay.jira.credentials import ConnectCredential

BULK = "/rest/operations/1.0/bulk"
RELAY = "Relay: the submitter"
SAME = "the same requests to Jira and AWS, ready-made"
BARE = "the same requests to Jira alone, ready-made"
SINGLE = "a request per incident to Jira alone, ready-made"


@dataclass
class Sent:
    """A request as it went out."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    ours, other = stand.place("deliver"), stand.place("bare")
    size, rounds = sizes.entities, sizes.rounds
    stand.screen.say(f"deliver: {rounds} rounds of {size} incidents, four ways by turns …")
    found = stand.run(
        "infra.bench.deliver:measure",
        ours=ours.given,
        other=other.given,
        size=size,
        rounds=rounds,
        singles=sizes.singles,
    )
    stand.check_delivered(ours, size, rounds + 1)
    return _result(found, size, sizes.singles)


def measure(
    ours: dict[str, str], other: dict[str, str], size: int, rounds: int, singles: int
) -> Any:
    """Seconds of each way and round; run as a subject."""
    caught: list[Sent] = []
    watch(lambda _, request: caught.append(_sent(request)))
    submitter = load("submitter")
    turns = [states(size, sequence=number + 1) for number in range(rounds + 1)]
    events = [event(ours["workspace_id"], turn) for turn in turns]
    with httpx.Client(timeout=30, trust_env=False) as http:
        ready = [bodies(turn) for turn in turns]
        few = [_single(turn[:singles]) for turn in turns]
        authorization = token(http, other)

        def deliver(number: int) -> None:
            caught.clear()
            answer = submitter.handler(events[number], Context())
            if answer["batchItemFailures"]:
                raise RuntimeError("The submitter did not take all of its messages.")

        def post(messages: list[bytes]) -> None:
            for body in messages:
                headers = {"Authorization": authorization, "Content-Type": "application/json"}
                http.post(
                    other["base_url"] + BULK, content=body, headers=headers
                ).raise_for_status()

        def same(number: int) -> None:
            for sent in elsewhere[number]:
                http.request(sent.method, sent.url, content=sent.body, headers=sent.headers)
            post(ready[number])

        def prepare(number: int) -> None:
            elsewhere[number] = list(_elsewhere(caught, ours["workspace_id"]))

        elsewhere: dict[int, list[Sent]] = {}
        ways = {
            RELAY: deliver,
            "": prepare,
            SAME: same,
            BARE: lambda number: post(ready[number]),
            SINGLE: lambda number: post(few[number]),
        }
        return by_turns(ways, rounds)


def token(http: httpx.Client, place: dict[str, str]) -> str:
    """Of Connect, for a submission; good for three minutes."""
    credential = ConnectCredential(APP_KEY, place["client_key"], place["base_url"], place["secret"])
    request = http.build_request("POST", place["base_url"] + BULK)
    return next(credential.auth_flow(request)).headers["Authorization"]


def _single(few: list[EntityState]) -> list[bytes]:
    return [bodies([state])[0] for state in few]


def _sent(request: Any) -> Sent:
    body = request.body or b""
    headers = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    return Sent(
        request.method, request.url, headers, body.encode() if isinstance(body, str) else body
    )


def _elsewhere(caught: list[Sent], workspace_id: str) -> Iterator[Sent]:
    """The same for a workspace that is not there: what is written twice would be refused."""
    name = workspace_id.encode()
    for sent in caught:
        yield Sent(sent.method, sent.url, sent.headers, sent.body.replace(name, name[::-1]))


def _result(found: dict[str, list[dict[str, float]]], size: int, singles: int) -> Result:
    entities = {RELAY: size, SAME: size, BARE: size, SINGLE: singles}
    cpu = {way: [one["cpu"] / count for one in found[way]] for way, count in entities.items()}
    speed = {
        way: figure([count / one["wall"] for one in found[way]]) for way, count in entities.items()
    }
    times = {way: ratio(cpu[RELAY], cpu[way]) for way in entities if way != RELAY}
    rows = [
        [way, spread(speed[way]), spread(_milliseconds(cpu[way])), _times(times.get(way))]
        for way in entities
    ]
    columns = ("way", "entities/s", "CPU ms per 1,000 entities", "Relay's CPU to this")
    return Result(
        "deliver",
        "From the queue to the outcome",
        f"Each round brings {number(size)} incidents in a new state, from SQS's event to the"
        " outcomes in the table. AWS and Jira are in other processes; CPU is our process's alone."
        " The ready-made requests are what the submitter itself had just sent.",
        [Table("", columns, rows)],
        [
            at_most("CPU per entity, to the bare loop to Jira", times[BARE], 2.5),
        ],
        [
            Bars(
                "deliver",
                "CPU per 1,000 entities",
                "ms",
                [bar(way, _milliseconds(cpu[way]), way == RELAY) for way in entities],
            )
        ],
        notes=[
            "The loop to Jira alone keeps nothing: an entity that Jira refuses, or an answer that"
            " gets lost, is gone. What being sure costs in requests to DynamoDB stands between the"
            " first two rows and the third.",
        ],
        facts={
            "submitter_cpu_ms_per_1000": _milliseconds(cpu[RELAY]).median,
            "entities_per_second": speed[RELAY].median,
        },
    )


def _milliseconds(seconds_per_entity: list[float]) -> Figure:
    return figure([seconds * 1_000_000 for seconds in seconds_per_entity])


def _times(times: Figure | None) -> str:
    return in_times(times) if times else ""
