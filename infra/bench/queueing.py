"""The simulated submitter and its queue, with the template's settings, and the loads on them."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.bench.cost_model import WAITS_MS
from infra.bench.simulation import Message, Processed, Run, Settings, simulate
from infra.lambdas.template import resources, template, timeout_of
from relay.delivery.session import CALL_SECONDS
from relay.edge.consumer import SLICE_ENTITIES, SLICE_SECONDS
from relay.record.transactions import TRANSACTION_ITEMS_MAX

_SUBMISSIONS = "POST /v1/workspaces/{workspaceId}/submissions"
# Jira's limit of entities per request.
_REQUEST = 1000
# Seconds; Jira's is the assumption of all simulations and latencies of these benchmarks.
JIRA = 0.2
# Per entity, of a core's share that the submitter has: 66 ms of CPU per 1,000 (bench growth).
_CPU = 0.066 / _REQUEST * 1769 / 1024
# The logarithm's standard deviation: a p99 of 2.3 times the median.
_SPREAD = 0.35
# Bytes of a compressed message: of one incident, and for each further one (bench cost).
_ONE, _FURTHER = 700, 130
# Entities a second that one workspace's partitions take (bench scale, throughput).
WORKSPACE_RATE = 2000.0

QUIET, FLOOD = 0, 1
# The flood starts when the quiet workspace has been alone for this long.
_ALONE = 20.0


def value_of(given: Any) -> Any:
    """A value of the template; of a reference, the parameter's default."""
    if isinstance(given, dict) and "Ref" in given:
        return template()["Parameters"][given["Ref"]]["Default"]
    return given


def settings() -> Settings:
    """Those of the submissions' route, queue and event source in the template."""
    [api] = resources("AWS::Serverless::HttpApi").values()
    route = api["RouteSettings"][_SUBMISSIONS]
    source = resources("AWS::Lambda::EventSourceMapping")["SubmitterSource"]
    queue = resources("AWS::SQS::Queue")["SubmissionsQueue"]
    return Settings(
        rate=value_of(route["ThrottlingRateLimit"]),
        burst=value_of(route["ThrottlingBurstLimit"]),
        batch=value_of(source["BatchSize"]),
        window=float(value_of(source["MaximumBatchingWindowInSeconds"])),
        concurrency=int(value_of(source["ScalingConfig"]["MaximumConcurrency"])),
        visibility=value_of(queue["VisibilityTimeout"]),
    )


class Submitter:
    """How long the submitter needs: slices one after the other, in each one workspace after the
    other, for each its reads, transactions, call to Jira, and CPU.

    With `smallest_first`, it would process the workspaces of a batch in the order of their size.
    """

    def __init__(self, seed: int, smallest_first: bool = False) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a simulation
        self._smallest_first = smallest_first
        self._timeout = timeout_of("submitter")
        # By workspace, when its partitions have room again.
        self._free_at: dict[int, float] = {}
        self.jira_calls = 0

    def process(self, now: float, batch: list[Message]) -> Processed:
        """The ends of these messages, and of the function. An owed message ends at infinity."""
        at = 0.0
        ends: dict[Message, float] = {}
        for part in self._slices(batch):
            if at and self._timeout - at <= SLICE_SECONDS:
                break
            for group in _by_workspace(part):
                at, end = self._deliver(now, at, group)
                ends |= dict.fromkeys(group, end)
                if at > self._timeout:
                    # Lambda ends the function; the messages return, and repeating them is harmless.
                    return [None] * len(batch), self._timeout
            at += self._wait("batches", math.ceil(len(part) / 25))
        return [ends.get(message) for message in batch], at

    def _slices(self, batch: list[Message]) -> Iterator[list[Message]]:
        waiting = batch
        if self._smallest_first:
            groups = sorted(_by_workspace(batch), key=lambda group: sum(m.size for m in group))
            waiting = [message for group in groups for message in group]
        part: list[Message] = []
        entities = 0
        for message in waiting:
            part.append(message)
            entities += message.entities
            if entities >= SLICE_ENTITIES:
                yield part
                part, entities = [], 0
        if part:
            yield part

    def _deliver(self, now: float, at: float, group: list[Message]) -> tuple[float, float]:
        count = _entities(group)
        writes = math.ceil(count / TRANSACTION_ITEMS_MAX)
        at += self._wait("reads", 2) + count * _CPU
        room = max(self._free_at.get(group[0].workspace, 0.0), now + at) + count / WORKSPACE_RATE
        self._free_at[group[0].workspace] = room
        at = max(at + self._wait("transactions", writes), room - now)
        if self._timeout - at < CALL_SECONDS:
            return at + self._wait("transactions", writes), math.inf
        calls = math.ceil(count / _REQUEST)
        self.jira_calls += calls
        end = at + self._spread(JIRA, calls)
        return end + self._wait("transactions", writes), end

    def _wait(self, kind: str, count: int) -> float:
        return self._spread(WAITS_MS[kind] / 1000, count)

    def _spread(self, median: float, count: int) -> float:
        """The sum of this many waits; of many, their mean times their number."""
        if count > 4:
            return median * math.exp(_SPREAD**2 / 2) * count
        return sum(self._chance.lognormvariate(math.log(median), _SPREAD) for _ in range(count))


def _entities(messages: Sequence[Message]) -> int:
    return sum(message.entities for message in messages)


def _by_workspace(messages: list[Message]) -> list[list[Message]]:
    groups: dict[int, list[Message]] = {}
    for message in messages:
        groups.setdefault(message.workspace, []).append(message)
    return list(groups.values())


# --- Loads ---


@dataclass(frozen=True)
class Load:
    """A flood of one workspace: calls of so many entities, so many a second, for so many seconds.

    With a `rate` of 0, all of the `calls` come at once.
    """

    name: str
    entities: int
    calls: int
    rate: float = 0.0

    def messages(self) -> list[Message]:
        """The flood's calls."""
        return [
            _message(FLOOD, _ALONE + (number / self.rate if self.rate else 0.0), self.entities)
            for number in range(self.calls)
        ]


@dataclass(frozen=True)
class Found:
    """Freshness of the quiet workspace in seconds; and what became of everything.

    `waits` are of the messages that were sent during the flood, or of all without one.
    """

    waits: list[float]
    refused: int
    owed: int
    returned: int
    undelivered: int
    seconds: float

    def at(self, percent: float) -> float:
        """The percentile of the waits; infinite if those messages are owed or not delivered."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)]


def beside(
    load: Load | None, given: Settings, runs: int, until: float, smallest_first: bool = False
) -> Found:
    """The quiet workspace's one call a second, alone or beside a flood, over seeded runs."""
    waits: list[float] = []
    totals = [0, 0, 0, 0]
    lasted = 0.0
    for seed in range(runs):
        flood = load.messages() if load else []
        chance = random.Random(seed)  # noqa: S311 - a simulation
        quiet = [_message(QUIET, second + chance.random()) for second in range(int(until))]
        submitter = Submitter(seed, smallest_first)
        run = simulate([*quiet, *flood], given, submitter.process, seed, until + 3600)
        ended = max((one.delivered for one in flood if one.delivered < math.inf), default=until)
        lasted = max(lasted, ended - _ALONE)
        during = [one for one in quiet if not flood or _ALONE <= one.called <= ended]
        waits += [one.freshness if one.delivered >= 0 else math.inf for one in during]
        for place, count in enumerate(
            (
                run.refused[QUIET],
                sum(one.delivered == math.inf for one in run.messages),
                run.returned,
                sum(one.delivered < 0 for one in run.messages),
            )
        ):
            totals[place] += count
    return Found(waits, *totals, seconds=lasted)


def spread_over(sites: int, rate: float, given: Settings, until: float) -> tuple[Run, int]:
    """Incidents at this rate over as many workspaces, each linked to one site.

    A workspace submits once a second what it has. Returns the run and the calls to Jira.
    """
    chance = random.Random(sites)  # noqa: S311 - a simulation
    messages = []
    per_site = rate / sites
    if per_site >= 1:
        starts = [chance.random() for _ in range(sites)]
        messages = [
            _message(site, second + starts[site], round(per_site))
            for second in range(int(until))
            for site in range(sites)
        ]
    else:
        at = chance.expovariate(rate)
        while at < until:
            messages.append(_message(chance.randrange(sites), at))
            at += chance.expovariate(rate)
    submitter = Submitter(sites)
    return simulate(messages, given, submitter.process, sites, until + 600), submitter.jira_calls


def _message(workspace: int, called: float, entities: int = 1) -> Message:
    return Message(workspace, called, entities, _ONE + (entities - 1) * _FURTHER)
