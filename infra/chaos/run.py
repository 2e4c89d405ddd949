"""One run: rounds with trouble, then rounds without, until Relay has settled."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

from infra.chaos.disturbance import Disturbance
from infra.chaos.jira_faults import ALWAYS, WHILE_TROUBLED
from infra.chaos.ledger import Ledger
from infra.chaos.queues import Queue, Queued
from infra.chaos.settings import Settings
from infra.chaos.stores import Stores
from infra.chaos.story import WORKSPACES_MIN, Story
from infra.chaos.tags import POISONS, tag_of
from infra.harness.clock import Clock
from infra.harness.fleet import Fleet, settle
from infra.harness.invoker import Invoker
from infra.harness.stage import Stage
from infra.harness.world import World
from infra.local.screen import Screen
from relay.record.debts import Debt

# Seconds between two runs of the sweeper: the template's default.
_SWEEP_SECONDS = 300.0
_SWEPT_TWICE_RATE = 0.15
_BATCHES_MAX = 4
_REPLAYS_MAX = 80
_PROGRESS_EVERY = 20


class Run:
    """A run's state: the sites and workspaces, the queues, the ledger and the story."""

    def __init__(
        self, settings: Settings, stage: Stage, fleet: Fleet, clock: Clock, screen: Screen
    ) -> None:
        self.settings = settings
        self.stage = stage
        self.fleet = fleet
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.cookies: list[str] = []
        self._screen = screen
        self._rng = Random(f"{settings.seed}/queues")  # noqa: S311
        self._invoker = Invoker(fleet, clock, stage.api_key)
        stage.listener.handle = self._invoker.http
        self.world = World(stage, self._invoker)
        self.stores = Stores.of(stage)
        environment = stage.environment
        self.submissions = self._queue("SubmissionsQueue", environment["SUBMISSIONS_QUEUE"])
        self.replays = self._queue("ReplaysQueue", environment["REPLAYS_QUEUE"])
        self.dead_letters = self._queue(
            "SubmissionsDeadLetters", environment["SUBMISSIONS_DEAD_LETTERS"]
        )
        self.ledger = self._set_up()
        self.story = Story(settings, self.world, self.ledger)
        self._pool = ThreadPoolExecutor(settings.workers + 1)
        self._swept = clock.now()
        self._rounds = 0
        self._troubled_debts: frozenset[int] = frozenset()

    def go(self) -> bool:
        """Runs all rounds. Returns False if Relay did not settle within `patience`."""
        self._invoker.disturb = Disturbance(self.settings)
        self._set_duplicate_rate(self.settings.duplicate_rate)
        for _ in range(self.settings.rounds):
            self._round()
            self.clock.jump(self._jump())
        self._screen.say("The trouble ends.")
        self._invoker.disturb = None
        self._set_duplicate_rate(0.0)
        self.story.closing = True
        self.world.fail(None, ALWAYS)
        for site in self.world.sites:
            self.world.fail(site, [])
        self._troubled_debts = frozenset(debt.mark for debt in self.stores.all_debts())
        return self._settles()

    def _set_duplicate_rate(self, rate: float) -> None:
        for queue in (self.submissions, self.replays):
            queue.duplicate_rate = rate

    def unsettled(self) -> list[str]:
        """The work that is left, one line each."""
        return self.stores.unsettled(self.may_stay)

    def may_stay(self, debt: Debt) -> bool:
        """Whether the debt is expected: its entity always fails and was postponed in the end."""
        is_poison = tag_of(debt.key.id) in POISONS
        return is_poison and debt.not_before is not None and debt.mark not in self._troubled_debts

    def close(self) -> None:
        """Stops the threads."""
        self._pool.shutdown()

    def _queue(self, name: str, url: str) -> Queue:
        return Queue(name, url, self.clock, Random(f"{self.settings.seed}/{name}"))  # noqa: S311

    def _set_up(self) -> Ledger:
        workspaces = [f"ws-{number}" for number in range(1, self.settings.workspaces + 1)]
        rng = Random(f"{self.settings.seed}/ledger")  # noqa: S311
        for workspace_id in workspaces:
            self.world.put_workspace(workspace_id)
        for number in range(1, self.settings.sites + 1):
            self.world.create(f"site-{number}")
        for workspace_id in workspaces:
            for site in rng.sample(self.world.sites, min(rng.randint(1, 3), len(self.world.sites))):
                self.world.link(site, workspace_id)
        for site in self.world.sites:
            others = [one for one in workspaces if one not in site.linked]
            wanted = max(WORKSPACES_MIN - len(site.linked), 0)
            for workspace_id in rng.sample(others, min(wanted, len(others))):
                self.world.link(site, workspace_id)
        self.world.fail(None, ALWAYS + WHILE_TROUBLED)
        return Ledger.drawn(workspaces, self.settings.entities, rng)

    # --- Rounds ---

    def _round(self) -> bool:
        """Run everything that is due concurrently; False if nothing was."""
        killed = self.fleet.killed.total()
        self._collect()
        jobs: list[Future[Any]] = [self._pool.submit(self.story.round)]
        jobs += [self._pool.submit(self._submitter, batch) for batch in self._batches()]
        jobs += [self._pool.submit(self._replayer, message) for message in self._hints()]
        if self._sweep_is_due():
            self._swept = self.clock.now()
            jobs.append(self._pool.submit(self._invoker.run, "sweeper", {}))
        story_continues, *_ = [job.result() for job in jobs]
        if self.fleet.killed.total() > killed:
            settle()
        self._rounds += 1
        if self._rounds % _PROGRESS_EVERY == 0:
            self._show_progress()
        return bool(story_continues) or len(jobs) > 1

    def _sweep_is_due(self) -> bool:
        """By its schedule, which may fire twice."""
        twice = self._invoker.disturb is not None and self._rng.random() < _SWEPT_TWICE_RATE
        return twice or self.clock.now() - self._swept >= _SWEEP_SECONDS

    def _jump(self) -> float:
        """Mostly seconds, sometimes minutes, rarely an hour, the longest pause of Relay."""
        kind = self._rng.random()
        if kind < 0.6:
            return self._rng.uniform(0, 20)
        return self._rng.uniform(60, 400) if kind < 0.95 else 3700.0

    def _batches(self) -> Iterator[list[Queued]]:
        """Batches of visible messages, in any order; a message may be in two batches."""
        visible = self.submissions.visible()
        self._rng.shuffle(visible)
        batches: list[list[Queued]] = []
        while visible and len(batches) < _BATCHES_MAX:
            size = self._rng.randint(1, 10)
            batches.append(visible[:size])
            visible = visible[size:]
        for batch in batches:
            message = self._rng.choice(batch)
            if self._rng.random() < self.submissions.duplicate_rate:
                self.submissions.duplicated += 1
                self._rng.choice(batches).append(message)
        for batch in batches:
            yield self.submissions.receive(dict.fromkeys(batch))

    def _hints(self) -> Iterator[Queued]:
        visible = self.replays.visible()
        self._rng.shuffle(visible)
        yield from self.replays.receive(visible[:_REPLAYS_MAX])

    def _submitter(self, batch: list[Queued]) -> None:
        if not batch:
            return
        result = self._invoker.run("submitter", {"Records": [one.record for one in batch]})
        if result.failed:
            return
        failed = {one["itemIdentifier"] for one in result.answer["batchItemFailures"]}
        self.submissions.delete([one for one in batch if one.id not in failed])

    def _replayer(self, message: Queued) -> None:
        result = self._invoker.run("replayer", {"Records": [message.record]})
        if not result.failed:
            self.replays.delete([message])
        elif self._invoker.disturb and (result.killed or result.aws_errors):
            message.disturbed += 1

    def _collect(self) -> None:
        for queue in (self.submissions, self.replays, self.dead_letters):
            queue.collect(self.stage.sqs)

    # --- After the trouble ---

    def _settles(self) -> bool:
        deadline = time.monotonic() + self.settings.patience
        while time.monotonic() < deadline:
            if self._round():
                continue
            if self._is_settled():
                return True
            self.clock.jump(self._next_due() - self.clock.now())
        return False

    def _is_settled(self) -> bool:
        self._collect()
        queued = self.submissions.messages or self.replays.messages
        return not queued and not self.unsettled()

    def _next_due(self) -> float:
        dues = [self.submissions.next_due, self.replays.next_due, self._swept + _SWEEP_SECONDS]
        return min(due for due in dues if due is not None)

    def _show_progress(self) -> None:
        self.count_calls()
        self._screen.say(
            f"round {self._rounds}: {self.ledger.submitted} states submitted,"
            f" {self.ledger.waiting} left; {len(self.submissions.messages)} messages,"
            f" {len(self.replays.messages)} hints; {self.fleet.killed.total()} killed,"
            f" {self.fleet.aws_errors.total()} AWS errors; {self.clock.passed / 3600:.1f} h"
        )

    def count_calls(self) -> None:
        """Adds up and clears the simulator's calls, of which it stores only the latest."""
        calls = self.stage.jira.calls()
        self.stage.jira.forget_calls()
        for call in calls:
            self.calls[call["site"]] += 1
            self.faults.update(call["fault"].split(", ") if call["fault"] else ())
            self.cookies += [call["cookie"]] if call["cookie"] else []


@contextmanager
def prepared(settings: Settings, stage: Stage, screen: Screen) -> Iterator[Run]:
    """Yields a run with its own workers, and stops them at the end."""
    clock = Clock()
    fleet = Fleet(settings.workers, stage.environment, stage.log)
    try:
        run = Run(settings, stage, fleet, clock, screen)
        try:
            yield run
        finally:
            run.close()
    finally:
        fleet.close()
