"""A site is down for longer than any queue stores a message: nothing is lost, and few calls are
made. Thirty days pass on a simulated clock.
"""

import heapq
import itertools
import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

import relay.edge.wiring
from relay.tenants.replays import ReplayStore
from relay.tenants.troubles import Trouble, TroubleStore
from tests.integration.catching_up_stage import (
    debts,
    forget_calls,
    put_link,
    sent,
    sequences,
    states,
)
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review
from tests.support.lambdas import Context, sqs_event
from tests.support.quick_transactions import quick_transactions
from tests.support.template import template

WORKERS = ["submitter", "replayer", "sweeper"]
HOUR, DAY = 3600.0, 86_400.0
DAYS = 30
# One day in this many is simulated in full; the schedule is skipped on the others.
OBSERVED = 6
SWEEP = 60.0 * template()["Parameters"]["SweepMinutes"]["Default"]
QUEUE_WAITS_MAX = 900
_numbers = itertools.count(1)


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    parts = partial(relay.edge.wiring.DeliveryParts, clock=clock)
    monkeypatch.setattr(relay.edge.wiring, "DeliveryParts", parts)
    return clock


@dataclass
class Days:
    """The workers on a simulated clock: a message is handled when it is due, and the schedule runs
    the sweeper. Sweeps that would find nothing are skipped.
    """

    relay: Relay
    clock: Clock
    site: JiraSite
    waiting: list[tuple[float, int, str]] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    sweeps: int = 0

    def __post_init__(self) -> None:
        for name in WORKERS:
            client = self.relay.gateway.functions[name].parts.sqs
            client.meta.events.register("provide-client-params.sqs.SendMessage", self._note_trouble)

    def pass_until(self, end: float) -> None:
        while self.clock.now < end:
            message = self.waiting[0][0] if self.waiting else math.inf
            sweep = _tick(max(self._due(), self.clock.now + 1))
            self.clock.now = min(message, sweep, end)
            if message == self.clock.now:
                self._run("replayer", sqs_event(heapq.heappop(self.waiting)[2]))
            elif sweep == self.clock.now:
                self.sweeps += 1
                self._run("sweeper", {})

    def trouble(self) -> Trouble | None:
        return TroubleStore(self.relay.aws.dynamodb, "TenantsTable").of(self.site.id)

    def _note_trouble(self, params: dict[str, Any], **_: Any) -> None:
        assert params["QueueUrl"] == self.relay.aws.environment["REPLAYS_QUEUE"]
        due = self.clock.now + params["DelaySeconds"]
        heapq.heappush(self.waiting, (due, next(_numbers), params["MessageBody"]))
        self.delays.append(params["DelaySeconds"])

    def _run(self, function: str, event: dict[str, Any]) -> None:
        """Run the function; any error is raised, because no message may ever return."""
        self.relay.gateway.functions[function].handler(event, Context())
        trouble = self.trouble()
        if trouble and trouble not in self.troubles[-1:]:
            self.troubles.append(trouble)

    def _due(self) -> float:
        """When a sweep next finds work, in epoch seconds."""
        replays = ReplayStore(self.relay.aws.dynamodb, "TenantsTable").of_tenant(self.site.id)
        waiting = [max(replay.due, replay.leased) for replay in replays if not replay.is_done]
        trouble = self.trouble()
        tried = [trouble.until] if trouble and not waiting else []
        return min((*waiting, *tried), default=math.inf) / 1000


def _tick(moment: float) -> float:
    """The next run of the schedule."""
    return math.ceil(moment / SWEEP) * SWEEP if math.isfinite(moment) else math.inf


@pytest.fixture
def relay_(start: Start, simulator: Simulator, clock: Clock) -> Relay:  # noqa: ARG001 (the clock comes first)
    relay = start("payments", simulator=simulator)
    quick_transactions(*(relay.gateway.functions[name].parts.dynamodb for name in WORKERS))
    return relay


def linked(relay: Relay, simulator: Simulator, clock: Clock) -> JiraSite:
    site = install_from(relay, simulator)
    put_link(relay, site)
    clock.now = time.time() + 1
    relay.run_replays()
    return site


@pytest.mark.parametrize(
    "fault",
    [{"kind": "suspended"}, {"kind": "error", "status": 503, "operations": ["submitEntity"]}],
    ids=["the site", "submissions alone"],
)
def test_a_month_of_outage_costs_few_calls_and_loses_no_entity(
    relay_: Relay, simulator: Simulator, clock: Clock, fault: dict[str, Any]
) -> None:
    healthy, down = linked(relay_, simulator, clock), linked(relay_, simulator, clock)
    simulator.fail(down.name, fault)
    forget_calls(down)
    days = Days(relay_, clock, down)
    began = clock.now
    newest: dict[str, int] = {}
    tries: list[int] = []
    for day in range(DAYS):
        # Most are submitted on the last day, because the emulated database is slow with many.
        fresh = [incident(f"i-{day}-{one}") for one in range(1 if day < DAYS - 1 else 999)]
        again = [incident(f"i-{day - 1}-0", 2)] if day else []
        reviews = [review(f"r-{day}")]
        assert relay_.submit("payments", incidents=[*fresh, *again], reviews=reviews) == []
        newest |= {one["id"]: one["updateSequenceNumber"] for one in (*fresh, *again, *reviews)}
        calls = len(down.calls())
        if day % OBSERVED == 0:
            days.pass_until(clock.now + DAY)
            tries.append(len(down.calls()) - calls)
        else:
            clock.now += DAY
    days.pass_until(clock.now + 2 * HOUR)

    # The healthy site was called normally and has everything.
    assert len(healthy.calls()) == 2 * DAYS
    assert sequences(healthy) == newest

    # The other was tried about once an hour, and somewhat more often at first.
    assert all(24 <= one <= 48 for one in tries[1:]), tries
    assert 24 <= tries[0] <= 48 + 12
    assert sent(down) == []
    _check_troubles(days, began)
    assert max(days.delays) <= QUEUE_WAITS_MAX
    assert debts(relay_, down) == len(newest)

    simulator.fail(down.name)
    forget_calls(down)
    days.pass_until(clock.now + HOUR + SWEEP)
    assert sent(down) == [(1000, 0), (DAYS - 2, 0), (0, DAYS)]
    assert sequences(down) == newest
    assert (debts(relay_, down), days.trouble()) == (0, None)
    assert set(states(relay_).values()) == {"accepted"}
    assert relay_.dead_letters() == []
    calls = len(down.calls())
    days.pass_until(clock.now + DAY)
    assert len(down.calls()) == calls


def _check_troubles(days: Days, began: float) -> None:
    """The site is down for an hour, and suspended from then on."""
    timeline = [(trouble.at / 1000 - began, trouble.code) for trouble in days.troubles]
    assert {code for after, code in timeline if after < HOUR} == {"site_down"}
    assert {code for after, code in timeline if after >= HOUR} == {"suspended"}
    assert [trouble.needs_attention for trouble in days.troubles] == [
        code == "suspended" for _, code in timeline
    ]
    assert {trouble.since for trouble in days.troubles} == {days.troubles[0].since}
    assert next(after for after, code in timeline if code == "suspended") < 2 * HOUR
