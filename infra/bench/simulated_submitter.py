"""The submitter of the simulation, and the template's settings of its route, queue and source."""

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.bench.cost_model import WAITS_MS
from infra.bench.simulation import Message, Processed, Settings
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
# The rest of an invocation's, for each workspace (bench cost: what is billed without waits).
_CPU_WORKSPACE = 0.003
# The logarithm's standard deviation: a p99 of 2.3 times the median.
_SPREAD = 0.35
# Entities a second that one workspace's partitions take (bench scale, throughput).
WORKSPACE_RATE = 2000.0


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


@dataclass(frozen=True)
class Plan:
    """In which order the submitter processes the workspaces of a batch, and how many at once.

    Now it processes them as they arrived, one after the other.
    """

    smallest_first: bool = False
    at_once: int = 1


NOW = Plan()
# What would protect a quiet workspace, and deliver to many sites; see docs/scale.md.
PLANNED = Plan(smallest_first=True, at_once=16)


class Submitter:
    """How long the submitter needs: slices one after the other, and in each for every workspace its
    reads, transactions, call to Jira, and CPU."""

    def __init__(self, seed: int, plan: Plan = NOW) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a simulation
        self._plan = plan
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
            lanes = [at] * self._plan.at_once
            core = at
            for group in _by_workspace(part):
                core += _CPU_WORKSPACE + _entities(group) * _CPU
                start = max(heapq.heappop(lanes), core)
                done, end = self._deliver(now, start, group)
                heapq.heappush(lanes, done)
                ends |= dict.fromkeys(group, end)
            at = max(lanes)
            if at > self._timeout:
                # Lambda ends the function; the messages return, and repeating them is harmless.
                return [None] * len(batch), self._timeout
            at += self._wait("batches", math.ceil(len(part) / 25))
        return [ends.get(message) for message in batch], at

    def _slices(self, batch: list[Message]) -> Iterator[list[Message]]:
        waiting = batch
        if self._plan.smallest_first:
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
        at += self._wait("reads", 2)
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
