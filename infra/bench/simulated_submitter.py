"""The submitter of the simulation, and the template's settings of its route, queue and source."""

import heapq
import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.bench.cost_model import WHOLE_CORE_MB
from infra.bench.simulated_queue import Message
from infra.bench.simulation import Processed, Settings
from infra.harness.latencies import JIRA_SECONDS, LATENCIES
from infra.lambdas.template import event_source_of, memory_of, resources, timeout_of
from relay.aws import AT_ONCE
from relay.delivery.protocol import BATCH_ENTITIES_MAX
from relay.delivery.session import CALL_SECONDS
from relay.edge.consumer import SLICE_ENTITIES, SLICE_SECONDS
from relay.record.transactions import TRANSACTION_ITEMS_MAX

_SUBMISSIONS = "POST /v1/workspaces/{workspaceId}/submissions"
# Receipts per call, DynamoDB's limit of a batch.
_RECEIPTS = 25
# Seconds per entity, on the submitter's share of a core: 66 ms of CPU per 1,000 (bench growth).
_CPU = 0.066 / 1000 * WHOLE_CORE_MB / memory_of("submitter")
# The same per workspace, besides (bench cost: what is billed beyond the waits).
_CPU_WORKSPACE = 0.003
# Entities a second that one workspace's partitions take: less than measured (bench scale).
WORKSPACE_RATE = 2000.0


def settings() -> Settings:
    """Those of the submissions' route, queue and event source in the template."""
    [api] = resources("AWS::Serverless::HttpApi").values()
    route = api["RouteSettings"][_SUBMISSIONS]
    source = event_source_of("submitter")
    queue = resources("AWS::SQS::Queue")["SubmissionsQueue"]
    return Settings(
        rate=route["ThrottlingRateLimit"],
        burst=route["ThrottlingBurstLimit"],
        batch=source["BatchSize"],
        window=source["MaximumBatchingWindowInSeconds"],
        concurrency=source["ScalingConfig"]["MaximumConcurrency"],
        visibility=queue["VisibilityTimeout"],
    )


@dataclass(frozen=True)
class Plan:
    """In which order the submitter processes the workspaces of a batch, and how many at once."""

    smallest_first: bool = True
    at_once: int = 1


# The submitter as it is.
CURRENT = Plan()
AS_THEY_ARRIVED = Plan(smallest_first=False)
# What would deliver to many sites sooner; see docs/scale.md.
SIDE_BY_SIDE = Plan(at_once=16)


class Submitter:
    """How long the submitter needs: slices one after the other, and in each for every workspace its
    reads, transactions, call to Jira, and CPU."""

    def __init__(self, seed: int, plan: Plan = CURRENT) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a simulation
        self._plan = plan
        self._timeout = timeout_of("submitter")
        self._partitions = _Partitions()

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
            at += self._side_by_side("BatchWriteItem", len(part), _RECEIPTS)
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
        """When a workspace that is begun `at` is done, and when Jira has answered."""
        workspace, count = group[0].workspace, _entities(group)
        written = self._partitions.write(workspace, now + at, count)
        at = max(at + self._transactions(count), written - now)
        at += self._call("Query") + self._call("BatchGetItem", 2)
        if self._timeout - at < CALL_SECONDS:
            return at + self._transactions(count), math.inf
        end = at + math.ceil(count / BATCH_ENTITIES_MAX) * JIRA_SECONDS
        return end + self._transactions(count), end

    def _transactions(self, count: int) -> float:
        return self._side_by_side("TransactWriteItems", count, TRANSACTION_ITEMS_MAX)

    def _side_by_side(self, operation: str, count: int, most: int) -> float:
        """Seconds of the calls for so many items, of which each takes `most`."""
        lanes = [0.0] * AT_ONCE
        for first in range(0, count, most):
            items = min(most, count - first)
            heapq.heapreplace(lanes, lanes[0] + self._call(operation, items))
        return max(lanes)

    def _call(self, operation: str, items: int = 1) -> float:
        """Seconds of one call to DynamoDB."""
        return LATENCIES[f"dynamodb.{operation}"].draw(self._chance, items) / 1000


class _Partitions:
    """What each workspace's partitions accept in each second.

    Submitters write at times of their own, so a later second may be used before an earlier one.
    """

    def __init__(self) -> None:
        self._used: defaultdict[tuple[int, int], float] = defaultdict(float)

    def write(self, workspace: int, start: float, count: float) -> float:
        """When these entities are written, if the first is sent at `start`."""
        second = int(start)
        while (free := WORKSPACE_RATE - self._used[workspace, second]) < count:
            self._used[workspace, second] = WORKSPACE_RATE
            count -= free
            second += 1
        self._used[workspace, second] += count
        return max(start, second) + count / WORKSPACE_RATE


def _entities(messages: Sequence[Message]) -> int:
    return sum(message.entities for message in messages)


def _by_workspace(messages: list[Message]) -> list[list[Message]]:
    groups: dict[int, list[Message]] = {}
    for message in messages:
        groups.setdefault(message.workspace, []).append(message)
    return list(groups.values())
