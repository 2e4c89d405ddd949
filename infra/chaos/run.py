"""A run from begin to end: trouble for so many rounds, then rest, then the verdict."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

from infra.chaos.clock import Clock
from infra.chaos.fleet import Fleet, settle
from infra.chaos.jira_faults import ALWAYS, AWHILE
from infra.chaos.ledger import Ledger
from infra.chaos.queues import Queue, Queued
from infra.chaos.relay_calls import Invoking
from infra.chaos.settings import Settings
from infra.chaos.stage import Stage
from infra.chaos.stores import Stores
from infra.chaos.story import WORKSPACES_MIN, Story
from infra.chaos.tags import POISONS, tag_of
from infra.chaos.world import World
from infra.local.screen import Screen
from relay.record.debts import Debt

# Seconds between two runs of the sweeper, as the template's default has it.
_SWEEP_SECONDS = 300.0
_SWEPT_TWICE_RATE = 0.15
_BATCHES_MAX = 4
_REPLAYS_MAX = 80
_TOLD_EVERY = 20


class Run:
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
        self._lots = Random(f"{settings.seed}/queues")  # noqa: S311
        self._invoking = Invoking(fleet, clock, settings, stage.api_key)
        stage.listener.handle = self._invoking.http
        self.world = World(stage, self._invoking)
        self.stores = Stores.of(stage)
        environment = stage.environment
        self.submissions = self._queue("SubmissionsQueue", environment["SUBMISSIONS_QUEUE"])
        self.replays = self._queue("ReplaysQueue", environment["REPLAYS_QUEUE"])
        self.buried = self._queue("SubmissionsDeadLetters", environment["SUBMISSIONS_DEAD_LETTERS"])
        self.ledger = self._furnished()
        self.story = Story(settings, self.world, self.ledger)
        self._pool = ThreadPoolExecutor(settings.workers + 1)
        self._swept = clock.now()
        self._rounds = 0
        self._of_the_trouble: frozenset[int] = frozenset()

    def go(self) -> bool:
        """False where it did not come to rest in time."""
        self._invoking.troubled = True
        for queue in (self.submissions, self.replays):
            queue.duplicate_rate = self.settings.duplicate_rate
        for _ in range(self.settings.rounds):
            self._round()
            self.clock.jump(self._jump())
        self._screen.say("The trouble ends.")
        self._invoking.troubled = False
        for queue in (self.submissions, self.replays):
            queue.duplicate_rate = 0.0
        self.story.closing = True
        self.world.fail(None, ALWAYS)
        for site in self.world.sites:
            self.world.fail(site, [])
        self._of_the_trouble = frozenset(debt.mark for debt in self.stores.all_debts())
        return self._comes_to_rest()

    def unsettled(self) -> list[str]:
        return self.stores.unsettled(self.may_stay)

    def may_stay(self, debt: Debt) -> bool:
        """Of an entity at fault for good, tried since the trouble ended, and put off again."""
        is_poison = tag_of(debt.key.id) in POISONS
        return is_poison and debt.not_before is not None and debt.mark not in self._of_the_trouble

    def close(self) -> None:
        self._pool.shutdown()

    def _queue(self, name: str, url: str) -> Queue:
        return Queue(name, url, self.clock, Random(f"{self.settings.seed}/{name}"))  # noqa: S311

    def _furnished(self) -> Ledger:
        workspaces = [f"ws-{number}" for number in range(1, self.settings.workspaces + 1)]
        lots = Random(f"{self.settings.seed}/ledger")  # noqa: S311
        for workspace_id in workspaces:
            self.world.put_workspace(workspace_id)
        for number in range(1, self.settings.sites + 1):
            self.world.create(f"site-{number}")
        for workspace_id in workspaces:
            for site in lots.sample(
                self.world.sites, min(lots.randint(1, 3), len(self.world.sites))
            ):
                self.world.link(site, workspace_id)
        for site in self.world.sites:
            others = [one for one in workspaces if one not in site.linked]
            wanted = max(WORKSPACES_MIN - len(site.linked), 0)
            for workspace_id in lots.sample(others, min(wanted, len(others))):
                self.world.link(site, workspace_id)
        self.world.fail(None, ALWAYS + AWHILE)
        return Ledger.drawn(workspaces, self.settings.entities, lots)

    # --- Rounds ---

    def _round(self) -> bool:
        """Everything at once, until all of it has ended; False where there was nothing to do."""
        killed = self.fleet.killed.total()
        self._collect()
        jobs: list[Future[Any]] = [self._pool.submit(self.story.round)]
        jobs += [self._pool.submit(self._submitter, batch) for batch in self._batches()]
        jobs += [self._pool.submit(self._replayer, message) for message in self._hints()]
        if self._is_to_be_swept():
            self._swept = self.clock.now()
            jobs.append(self._pool.submit(self._invoking.run, "sweeper", {}))
        story_goes_on, *_ = [job.result() for job in jobs]
        if self.fleet.killed.total() > killed:
            settle()
        self._rounds += 1
        if self._rounds % _TOLD_EVERY == 0:
            self._tell()
        return bool(story_goes_on) or len(jobs) > 1

    def _is_to_be_swept(self) -> bool:
        """By its schedule, which may also call it twice."""
        twice = self._invoking.troubled and self._lots.random() < _SWEPT_TWICE_RATE
        return twice or self.clock.now() - self._swept >= _SWEEP_SECONDS

    def _jump(self) -> float:
        """Mostly seconds, sometimes minutes, seldom as long as the longest pause."""
        kind = self._lots.random()
        if kind < 0.6:
            return self._lots.uniform(0, 20)
        return self._lots.uniform(60, 400) if kind < 0.95 else 3700.0

    def _batches(self) -> Iterator[list[Queued]]:
        """Some of what is visible, in any order; a message may be in two of them."""
        visible = self.submissions.visible()
        self._lots.shuffle(visible)
        batches: list[list[Queued]] = []
        while visible and len(batches) < _BATCHES_MAX:
            size = self._lots.randint(1, 10)
            batches.append(visible[:size])
            visible = visible[size:]
        for batch in batches:
            message = self._lots.choice(batch)
            if self._lots.random() < self.submissions.duplicate_rate:
                self.submissions.duplicated += 1
                self._lots.choice(batches).append(message)
        for batch in batches:
            yield self.submissions.receive(dict.fromkeys(batch))

    def _hints(self) -> Iterator[Queued]:
        visible = self.replays.visible()
        self._lots.shuffle(visible)
        yield from self.replays.receive(visible[:_REPLAYS_MAX])

    def _submitter(self, batch: list[Queued]) -> None:
        if not batch:
            return
        ended = self._invoking.run("submitter", {"Records": [one.record for one in batch]})
        if ended.failed:
            return
        failed = {one["itemIdentifier"] for one in ended.answer["batchItemFailures"]}
        self.submissions.delete([one for one in batch if one.id not in failed])

    def _replayer(self, message: Queued) -> None:
        if not self._invoking.run("replayer", {"Records": [message.record]}).failed:
            self.replays.delete([message])

    def _collect(self) -> None:
        for queue in (self.submissions, self.replays, self.buried):
            queue.collect(self.stage.sqs)

    # --- Rest ---

    def _comes_to_rest(self) -> bool:
        deadline = time.monotonic() + self.settings.patience
        while time.monotonic() < deadline:
            if self._round():
                continue
            if self._is_at_rest():
                return True
            self.clock.jump(self._next_due() - self.clock.now())
        return False

    def _is_at_rest(self) -> bool:
        self._collect()
        queued = self.submissions.messages or self.replays.messages
        return not queued and not self.unsettled()

    def _next_due(self) -> float:
        dues = [self.submissions.next_due, self.replays.next_due, self._swept + _SWEEP_SECONDS]
        return min(due for due in dues if due is not None)

    def _tell(self) -> None:
        self._count_calls()
        self._screen.say(
            f"round {self._rounds}: {self.ledger.submitted} states submitted,"
            f" {self.ledger.waiting} to come; {len(self.submissions.messages)} messages,"
            f" {len(self.replays.messages)} hints; {self.fleet.killed.total()} killed,"
            f" {self.fleet.aws_errors.total()} errors of AWS; {self.clock.passed / 3600:.1f} h"
        )

    def _count_calls(self) -> None:
        """The simulator keeps the latest calls only, so they are fetched now and then."""
        calls = self.stage.jira.calls()
        self.stage.jira.forget_calls()
        for call in calls:
            self.calls[call["site"]] += 1
            self.faults.update(call["fault"].split(", ") if call["fault"] else ())
            self.cookies += [call["cookie"]] if call["cookie"] else []

    def count_calls(self) -> None:
        self._count_calls()


@contextmanager
def prepared(settings: Settings, stage: Stage, screen: Screen) -> Iterator[Run]:
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
