"""The simulation of the queue: conservation, determinism, fairness, and a known formula."""

import math
import random
from dataclasses import replace

import pytest

from infra.bench.result import percentile
from infra.bench.simulated_loads import (
    FLOOD,
    QUIET,
    Flood,
    freshness_of,
    quiet_beside,
    spread_over,
)
from infra.bench.simulated_queue import NOISY_MESSAGES, Message, Queue
from infra.bench.simulated_submitter import (
    AS_THEY_ARRIVED,
    SIDE_BY_SIDE,
    Submitter,
    settings,
)
from infra.bench.simulation import Processed, Run, Settings, simulate

PLAIN = Settings(rate=1e9, burst=1e9, batch=10, window=0.5, concurrency=4, visibility=30)


def quick(_: float, batch: list[Message]) -> Processed:
    return [0.1] * len(batch), 0.1


def calls(count: int, seed: int = 1, spread: float = 10) -> list[Message]:
    chance = random.Random(seed)  # noqa: S311
    return [Message(chance.randrange(5), chance.random() * spread) for _ in range(count)]


def run(messages: list[Message], given: Settings = PLAIN, until: float = 10_000) -> Run:
    return simulate(messages, given, Submitter(1).process, 1, until)


# --- Nothing is lost, and the same seed gives the same run ---


@pytest.mark.parametrize("fair", [True, False])
def test_every_message_is_delivered_once(fair: bool) -> None:
    done = []

    def process(_: float, batch: list[Message]) -> Processed:
        done.extend(batch)
        return [0.2] * len(batch), 0.3

    messages = calls(500)
    simulate(messages, replace(PLAIN, fair=fair), process, 1, 10_000)
    assert len(done) == len({id(one) for one in done}) == 500
    assert all(one.receives == 1 and one.freshness >= 0.2 for one in messages)


def test_a_message_that_returns_is_received_again_after_the_visibility_timeout() -> None:
    def process(_: float, batch: list[Message]) -> Processed:
        return [None if one.receives == 1 else 0.1 for one in batch], 0.1

    messages = calls(50)
    ended = simulate(messages, PLAIN, process, 1, 10_000)
    assert ended.returned == 50
    assert all(one.receives == 2 and one.freshness > PLAIN.visibility for one in messages)


def test_what_the_function_has_no_time_for_returns_and_is_delivered_in_the_end() -> None:
    messages = [Message(one, 0.0, 1000, 130_000) for one in range(300)]
    ended = run(messages, replace(settings(), burst=1000))
    assert ended.returned > 0
    assert all(one.delivered >= 0 for one in messages)


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = calls(300), calls(300)
    run(first), run(second)
    assert [one.delivered for one in first] == [one.delivered for one in second]


# --- The API and the event source ---


def test_a_route_accepts_its_rate_and_its_burst_and_refuses_the_rest() -> None:
    given = replace(PLAIN, rate=10, burst=5)
    messages = [Message(1, number / 1000) for number in range(1000)]
    ended = simulate(messages, given, quick, 1, 20)
    assert ended.refused[1] >= 995
    assert sum(one.accepted >= 0 for one in messages) <= 5 + 20 * 10


def test_a_batch_ends_by_its_size_or_its_window() -> None:
    sizes: list[int] = []

    def process(_: float, batch: list[Message]) -> Processed:
        sizes.append(len(batch))
        return [0.0] * len(batch), 0.0

    messages = [Message(1, 0.0) for _ in range(100)]
    simulate(messages, replace(PLAIN, concurrency=1), process, 1, 100)
    assert set(sizes) == {PLAIN.batch}
    alone = Message(1, 0.0)
    simulate([alone], PLAIN, process, 1, 100)
    assert alone.freshness == pytest.approx(PLAIN.window + PLAIN.receive)


def test_a_batch_holds_at_most_six_megabytes() -> None:
    most = []

    def process(_: float, batch: list[Message]) -> Processed:
        most.append(sum(one.size for one in batch))
        return [0.0] * len(batch), 0.0

    messages = [Message(1, 0.0, 1000, 1_000_000) for _ in range(50)]
    simulate(messages, replace(PLAIN, batch=1000, window=5), process, 1, 100)
    assert 5_000_000 <= max(most) <= 6 * 1024 * 1024


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (4, 0.8)])
def test_single_messages_wait_as_erlang_says(servers: int, load: float) -> None:
    chance = random.Random(5)  # noqa: S311
    at, messages = 0.0, []
    for _ in range(40_000):
        at += chance.expovariate(servers * load)
        messages.append(Message(1, at))

    def process(_: float, batch: list[Message]) -> Processed:
        seconds = chance.expovariate(1)
        return [0.0] * len(batch), seconds

    given = replace(PLAIN, batch=1, window=0, concurrency=servers, receive=0.0, fair=False)
    simulate(messages, given, process, 1, at + 1000)
    waited = sum(one.freshness for one in messages) / len(messages)
    assert waited == pytest.approx(erlang_wait(servers, load), rel=0.1)


def erlang_wait(servers: int, load: float) -> float:
    """The mean wait in an M/M/c queue whose service takes 1 on average (Erlang's C formula)."""
    offered = servers * load
    waiting = offered**servers / math.factorial(servers) / (1 - load)
    free = sum(offered**one / math.factorial(one) for one in range(servers))
    return waiting / (free + waiting) / (servers * (1 - load))


# --- Fairness ---


def test_a_noisy_group_waits_for_the_others() -> None:
    queue = Queue(fair=True)
    for _ in range(100):
        queue.put(Message(FLOOD, 0.0))
    queue.take(NOISY_MESSAGES, 10**9)
    queue.put(Message(QUIET, 0.0))
    assert queue.take(1, 10**9)[0].workspace == QUIET
    assert queue.take(1, 10**9)[0].workspace == FLOOD


def test_below_thirty_messages_in_flight_no_group_is_noisy() -> None:
    queue = Queue(fair=True)
    for _ in range(100):
        queue.put(Message(FLOOD, 0.0))
    queue.take(NOISY_MESSAGES - 1, 10**9)
    queue.put(Message(QUIET, 0.0))
    assert queue.take(1, 10**9)[0].workspace == FLOOD


def test_one_line_has_no_order_but_that_of_arrival() -> None:
    queue = Queue(fair=False)
    for number in range(100):
        queue.put(Message(FLOOD if number < 99 else QUIET, 0.0))
    assert [one.workspace for one in queue.take(100, 10**9)][-1] == QUIET


def test_of_noisy_groups_the_one_with_the_fewest_in_flight_comes_first() -> None:
    queue = Queue(fair=True)
    for group, count in ((1, 60), (2, 40)):
        for _ in range(count):
            queue.put(Message(group, 0.0))
    queue.take(100, 10**9)
    for group in (1, 2):
        queue.put(Message(group, 0.0))
    assert [one.workspace for one in queue.take(2, 10**9)] == [2, 1]


def test_fair_queueing_shortens_the_wait_in_a_backlog() -> None:
    def process(_: float, batch: list[Message]) -> Processed:
        return [0.5] * len(batch), 0.5

    def quiet_wait(fair: bool) -> float:
        flood = [Message(FLOOD, 0.0) for _ in range(4000)]
        quiet = [Message(QUIET, 5.0 + number) for number in range(20)]
        simulate([*flood, *quiet], replace(PLAIN, fair=fair), process, 1, 10_000)
        return percentile(freshness_of(quiet), 99)

    assert quiet_wait(fair=True) < 2
    assert quiet_wait(fair=False) > 20


# --- The submitter ---


def test_the_smallest_workspace_first_is_not_behind_the_flood() -> None:
    flood = [Message(FLOOD, 0.0, 1000, 130_000) for _ in range(4)]
    batch = [*flood, Message(QUIET, 0.0)]
    behind = Submitter(1, AS_THEY_ARRIVED).process(0.0, batch)[0][-1]
    ahead = Submitter(1).process(0.0, batch)[0][-1]
    assert ahead is not None
    assert behind is not None
    assert ahead < 1 < behind


def test_workspaces_side_by_side_take_a_fraction_of_the_time() -> None:
    batch = [Message(workspace, 0.0) for workspace in range(64)]
    _, alone = Submitter(1).process(0.0, batch)
    _, beside_each_other = Submitter(1, SIDE_BY_SIDE).process(0.0, batch)
    assert beside_each_other < alone / 8


def test_loads_run_with_the_templates_settings() -> None:
    fresh = quiet_beside(Flood("", 1000, 5), settings(), 1)
    assert percentile(fresh, 50) > settings().window
    ended = spread_over(10, 10, settings(), 10)
    assert len(ended.messages) == 100
    assert max(freshness_of(ended.messages)) < math.inf
