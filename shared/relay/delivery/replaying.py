"""Replaying: what a site is owed, or all of it, from the record, step by step.

A step does what the time of one invocation allows, keeps how far it came, and hands itself on
through the queue. It may end anywhere: the next one begins where the last was kept, and what is
brought twice changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from relay.catalog import ContainerStore
from relay.delivery.bringing import Bringing, Brought
from relay.delivery.dispatch import Dispatch
from relay.delivery.owing import Owing
from relay.delivery.requesting import LINKED
from relay.delivery.selection import Selection
from relay.delivery.sites import LinkedSite, Sites
from relay.delivery.tracking import state_of
from relay.delivery.visit import CALL_SECONDS, OUT_OF_TIME, Stopped, TimeLeft, Visit
from relay.entities import EntityKey, Kind
from relay.jira.errors import JiraError, NotLinked
from relay.record import Debt, DebtStore, Entry, OutcomeState, RecordStore
from relay.record.keys import entity_of, sort_key
from relay.telemetry import logger
from relay.tenants import LinkStore, Replay, ReplayStore, Stage, TenantState, TroubleStore

_PAGE = 1000
# Of entities, which are held in memory at once, parsed.
_PAGE_BYTES = 5_000_000
# Components are read and sent by hundreds; a page of these is within a step's time.
_COMPONENTS = 500
# Seconds for a page beside its calls to Jira: a thousand entries read, their outcomes written.
_PAGE_SECONDS = 15
# A worker that ends without a word has its replay taken over after this.
_LEASE_MS = 180_000
# Where a site is not in trouble, and can't be called all the same.
_PAUSE_MS = 60_000
# A link is made a moment after its replay was begun.
_LINKING_MS = 60_000


class Replaying:
    def __init__(
        self,
        replays: ReplayStore,
        sites: Sites,
        links: LinkStore,
        troubles: TroubleStore,
        record: RecordStore,
        debts: DebtStore,
        containers: ContainerStore,
        bringing: Bringing,
        owing: Owing,
        dispatch: Dispatch,
        brings_components: bool,
    ) -> None:
        self._replays = replays
        self._sites = sites
        self._links = links
        self._troubles = troubles
        self._record = record
        self._debts = debts
        self._containers = containers
        self._bringing = bringing
        self._owing = owing
        self._dispatch = dispatch
        self._brings_components = brings_components
        self._stages: dict[Stage, Callable[[Visit, LinkedSite, Replay], Replay]] = {
            Stage.LINK: self._link,
            Stage.COMPONENTS: self._bring_components,
            Stage.COUNT: self._count,
            Stage.WALK: self._walk,
            Stage.PAY: self._pay,
        }

    def step(self, tenant_id: str, workspace_id: str, time_left: TimeLeft) -> None:
        """Take the replay of this link as far as time allows; nothing, where it is not to go on.

        Raises Unavailable, or an AWS error: then it goes on once its lease has ended.
        """
        replay = self._replays.get(tenant_id, workspace_id)
        now = self._dispatch.now()
        if replay and replay.is_due_again(now):
            replay = self._begun_again(replay)
        if replay:
            replay = self._replays.take(replay, now, _LEASE_MS)
        if replay is None:
            return
        linked = self._sites.link(tenant_id, workspace_id)
        with logger.append_context_keys(
            tenant_id=tenant_id, workspace_id=workspace_id, run=replay.run
        ):
            if linked is None:
                self._forget(replay)
            else:
                self._go_on(replay, linked, time_left)

    def _begun_again(self, replay: Replay) -> Replay | None:
        """What was put off is due."""
        self._replays.owe(self._owing.replay_of(replay.tenant_id, replay.workspace_id))
        return self._replays.get(replay.tenant_id, replay.workspace_id)

    def _go_on(self, replay: Replay, linked: LinkedSite, time_left: TimeLeft) -> None:
        try:
            visit = self._bringing.visit(linked, time_left)
        except Stopped as stopped:
            self._pause(replay, linked, stopped.reason)
            return
        if replay.stage is Stage.PAY:
            owed = self._debts.count(linked.workspace_id, replay.tenant_id)
            replay = replace(replay, total=replay.done + owed)
        while time_left() > CALL_SECONDS + _PAGE_SECONDS:
            replay = self._stages[replay.stage](visit, linked, replay)
            if visit.recovered:
                visit.recovered = False
                self._dispatch.awake(replay.tenant_id)
            if visit.stopped_by:
                self._pause(replay, linked, visit.stopped_by)
                return
            if replay.is_done:
                replay = self._looked_again(replay)
            if replay.is_done or not self._kept(replay):
                return
        self._pause(replay, linked, OUT_OF_TIME)

    def _looked_again(self, replay: Replay) -> Replay:
        """Call it done; where more was noted as owed meanwhile, it goes on with that."""
        if self._replays.end(replay, self._dispatch.now()):
            logger.info("Replayed", done=replay.done, refused=replay.refused)
            if replay.again:
                self._dispatch.send(replace(replay, due=replay.again))
            return replay
        there = self._replays.get(replay.tenant_id, replay.workspace_id)
        if there is None or there.run != replay.run:
            return replay
        return replace(replay, stage=Stage.PAY, owed=there.owed, again=0)

    def _kept(self, replay: Replay) -> bool:
        """Keep how far it is, and the lease; False where another run has taken its place."""
        now = self._dispatch.now()
        return self._replays.keep(
            replace(replay, reason=None, updated_at=now, leased=now + _LEASE_MS)
        )

    def _pause(self, replay: Replay, linked: LinkedSite, reason: str) -> None:
        """Let go of it, and have it go on as soon as that makes sense."""
        now = self._dispatch.now()
        trouble = self._troubles.of(replay.tenant_id)
        due = now if reason == OUT_OF_TIME else now + _PAUSE_MS
        paused = replace(
            replay,
            due=max(trouble.until, now) if trouble else due,
            leased=0,
            updated_at=now,
            reason=None if reason == OUT_OF_TIME else reason,
        )
        logger.info("Replay waits", reason=trouble.code if trouble else "time", done=paused.done)
        # A site that has uninstalled the app begins anew when it has it again.
        if self._replays.keep(paused) and linked.tenant.state is TenantState.ACTIVE:
            self._dispatch.send(paused)

    def _forget(self, replay: Replay) -> None:
        """The two are not linked any more, so nothing is owed; or they are about to be linked."""
        now = self._dispatch.now()
        if replay.why == LINKED and replay.started_at > now - _LINKING_MS:
            self._replays.keep(replace(replay, leased=0))
            return
        link = replay.workspace_id, replay.tenant_id
        while debts := list(islice(self._debts.all(*link), _PAGE)):
            self._debts.paid(*link, debts)
        self._replays.end(replace(replay, again=0), now)

    # --- The stages: each does a page of its work, and says where the replay then is ---

    def _link(self, visit: Visit, linked: LinkedSite, replay: Replay) -> Replay:
        """In Jira, which has forgotten its links with the app that was uninstalled."""
        wanted = linked.workspace_id
        try:
            site = visit.jira.site
            accepted = visit.call(lambda: site.submit_workspaces([wanted]))
            # One that was linked already may not be named.
            if wanted not in accepted and not visit.call(lambda: site.has_workspace(wanted)):
                visit.stopped_by = NotLinked().message
                return replay
        except Stopped:
            return replay
        except JiraError as error:
            # It would be refused again, and there is more to be brought.
            logger.error("Jira refused a link", reason=error.reason)
        return _next(replay, Stage.COMPONENTS)

    def _bring_components(self, visit: Visit, linked: LinkedSite, replay: Replay) -> Replay:
        if not self._brings_components:
            return _next(replay, Stage.COUNT)
        page = self._containers.page(linked.workspace_id, replay.cursor, _COMPONENTS)
        link = self._links.get(replay.tenant_id, linked.workspace_id)
        logos = {container.id: link.logo_url if link else "" for container in page}
        brought = self._bringing.bring(visit, linked, logos=logos)
        self._owing.put_off(linked, brought, logos)
        if self._stays(visit, linked, brought, logos):
            return replay
        if len(page) < _COMPONENTS:
            return _next(replay, Stage.COUNT)
        return replace(replay, cursor=page[-1].id)

    def _stays(
        self, visit: Visit, linked: LinkedSite, brought: Brought, logos: Mapping[str, str]
    ) -> bool:
        """Whether the page is brought again from its beginning, as not all of it was.

        Not where the time ran out on what is at fault: it would do so every time. What is left of
        the page is noted as owed, and paid where nothing that is put off comes before it.
        """
        if not (brought.waiting or brought.components.waiting):
            return False
        _stop(visit, brought)
        at_fault = brought.components.at_fault or len(brought.owed) > len(brought.waiting)
        if visit.stopped_by != OUT_OF_TIME or not at_fault:
            return True
        self._owing.note(linked, brought, logos)
        return False

    def _count(self, _: Visit, linked: LinkedSite, replay: Replay) -> Replay:
        counted, next_one = self._record.count(linked.workspace_id, _cursor(replay))
        counted += replay.counted
        if next_one:
            return replace(replay, counted=counted, cursor=sort_key(next_one))
        return replace(_next(replay, Stage.WALK), counted=counted, total=counted)

    def _walk(self, visit: Visit, linked: LinkedSite, replay: Replay) -> Replay:
        selection = Selection(self._record, linked, replay.since, replay.started_at)
        chunk = selection.chunk(_cursor(replay))
        brought = self._bringing.bring(visit, linked, chunk.states, chunk.deleted)
        walked = replace(replay, refused=replay.refused + brought.refused)
        self._owing.put_off(linked, brought, {})
        if self._stays(visit, linked, brought, {}):
            # What was answered is not selected again.
            return walked
        done = replay.done + chunk.passed
        # More may have been recorded since it was counted.
        walked = replace(walked, done=done, total=max(replay.total or 0, done))
        if chunk.next is None:
            return _next(walked, Stage.PAY)
        return replace(walked, cursor=sort_key(chunk.next))

    def _pay(self, visit: Visit, linked: LinkedSite, replay: Replay) -> Replay:
        debts = self._next_debts(replay)
        if not debts:
            return self._paid(replay)
        try:
            if debts[0].not_before is not None:
                visit.ask()
        except Stopped:
            return replay
        brought, paid = self._brought(visit, linked, debts)
        self._debts.paid(linked.workspace_id, replay.tenant_id, paid)
        if brought.waiting or brought.components.waiting:
            _stop(visit, brought)
        done = replay.done + len(paid)
        return replace(
            replay,
            done=done,
            total=max(replay.total or 0, done),
            refused=replay.refused + brought.refused,
        )

    def _paid(self, replay: Replay) -> Replay:
        """All but what is put off."""
        debts = self._debts.all(replay.workspace_id, replay.tenant_id)
        again = min((debt.not_before for debt in debts if debt.not_before), default=0)
        total = None if replay.total is None else replay.done
        return replace(_next(replay, Stage.DONE), again=again, total=total)

    def _next_debts(self, replay: Replay) -> Sequence[Debt]:
        """Of one kind, as a request to Jira holds one kind. What was put off comes last, so that
        nothing else waits for it."""
        for kind in Kind:
            debts = self._debts.page(replay.workspace_id, replay.tenant_id, kind, _PAGE)
            if debts:
                return debts
        components = self._debts.components(replay.workspace_id, replay.tenant_id, _COMPONENTS)
        return components or self._put_off(replay)

    def _put_off(self, replay: Replay) -> Sequence[Debt]:
        """Those of the first kind that are due."""
        now = self._dispatch.now()
        debts = self._debts.all(replay.workspace_id, replay.tenant_id)
        due = (debt for debt in debts if debt.not_before is not None and debt.not_before <= now)
        first = next(due, None)
        if first is None:
            return ()
        alike = takewhile(lambda debt: debt.kind == first.kind, due)
        return [first, *islice(alike, _COMPONENTS - 1)]

    def _brought(
        self, visit: Visit, linked: LinkedSite, debts: Sequence[Debt]
    ) -> tuple[Brought, Sequence[Debt]]:
        """What became of the first of these debts, as many as one page of entities holds, and which
        are paid.

        The record is read after they were: what is brought is at least as new as they are. What was
        answered meanwhile, as by a walk, is not sent again; a deletion is, as a delivery that was
        under way may have undone it.
        """
        suspected = debts[0].not_before is not None
        if debts[0].is_component:
            logos = {debt.component_id: debt.logo_url for debt in debts}
            brought = self._bringing.bring(visit, linked, logos=logos, suspected=suspected)
            self._owing.put_off(linked, brought, logos)
            left = {*brought.components.at_fault, *brought.components.waiting}
            return brought, [debt for debt in debts if debt.component_id not in left]
        keys = [debt.key for debt in debts]
        entries, looked_up = self._record.first_of(linked.workspace_id, keys, _PAGE_BYTES)
        states = [entry.state for entry in self._unanswered(linked, entries)]
        deleted = [entry for entry in entries if entry.state is None]
        brought = self._bringing.bring(
            visit,
            linked,
            [state for state in states if state],
            deleted,
            suspected=suspected,
        )
        self._owing.put_off(linked, brought, {})
        owed = {outcome.key for outcome in brought.owed}
        return brought, [debt for debt in debts[:looked_up] if debt.key not in owed]

    def _unanswered(self, linked: LinkedSite, entries: Sequence[Entry]) -> list[Entry]:
        keys = [entry.key for entry in entries]
        outcomes = self._record.outcomes_of(linked.workspace_id, linked.tenant.id, keys)
        return [
            entry
            for entry in entries
            if state_of(entry, outcomes.get(entry.key), linked.generation) is OutcomeState.OWED
        ]


def _next(replay: Replay, stage: Stage) -> Replay:
    return replace(replay, stage=stage, cursor="")


def _cursor(replay: Replay) -> EntityKey | None:
    return entity_of(replay.cursor) if replay.cursor else None


def _stop(visit: Visit, brought: Brought) -> None:
    """What is owed though the site took it, as it has begun anew meanwhile, is for another step."""
    if not visit.stopped_by:
        visit.stopped_by = brought.waiting[0].messages[0] if brought.waiting else OUT_OF_TIME
