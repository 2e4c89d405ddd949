"""Debts: what a site could not accept now. How they are noted, postponed and paid.

A debt names an entity and holds nothing of it: the record stays the truth of what is delivered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from relay import keys
from relay.delivery.decisions import entity_back_off
from relay.delivery.session import SiteSession
from relay.delivery.site_delivery import DeliveryResult, SiteDelivery
from relay.delivery.sites import LinkedSite
from relay.entities.model import EntityKey, Kind
from relay.jira.errors import without_details
from relay.record.debts import Debt, DebtStore, Delay
from relay.record.outcomes import OutcomeState, state_of
from relay.record.store import RecordStore
from relay.replays.schedule import ReplaySchedule
from relay.telemetry import Metric, count, logger
from relay.tenants.replay import Replay, ReplayScope, Stage, new_run
from relay.tenants.replays import ReplayStore
from relay.tenants.troubles import TroubleStore

_PAGE = 1000
# Of entities, which are held in memory at once, parsed.
_PAGE_BYTES = 5_000_000
# Components, and what was postponed, are delivered by at most this many at a time.
_FEW = 500


class DebtRecorder:
    """Every method raises Unavailable, or an AWS error; repeating is safe."""

    def __init__(
        self,
        debts: DebtStore,
        replays: ReplayStore,
        troubles: TroubleStore,
        schedule: ReplaySchedule,
    ) -> None:
        self._debts = debts
        self._replays = replays
        self._troubles = troubles
        self._schedule = schedule

    def owe(self, linked: LinkedSite, result: DeliveryResult, logos: Mapping[str, str]) -> None:
        """Note what the site did not accept, and start a replay that pays it. `logos` are those of
        the containers that were to be delivered."""
        components = result.components
        if not (result.owed or components.waiting or components.at_fault):
            return
        # Started before there are debts: if this breaks off between the two, someone pays them.
        # Noticed again after, as a replay that has ended by then has not seen them.
        replay = self.replay_of(linked.tenant.id, linked.workspace_id, linked.generation)
        started_before = self._replays.owe(replay)
        self.note(linked, result, logos)
        self.postpone(linked, result, logos)
        replay = self.replay_of(linked.tenant.id, linked.workspace_id, linked.generation)
        if self._replays.owe(replay) or started_before:
            self._schedule.send(replay)

    def note(self, linked: LinkedSite, result: DeliveryResult, logos: Mapping[str, str]) -> None:
        """Note what waits for the site as debts, for a replay that is under way."""
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        by_reason: dict[str, list[EntityKey]] = {}
        for outcome in result.waiting:
            by_reason.setdefault("; ".join(outcome.messages), []).append(outcome.key)
        for reason, entities in by_reason.items():
            self._debts.owe(workspace_id, tenant_id, entities, reason)
        by_logo: dict[str, list[str]] = {}
        for container_id in result.components.waiting:
            by_logo.setdefault(logos[container_id], []).append(container_id)
        for logo_url, ids in by_logo.items():
            self._debts.owe_components(workspace_id, tenant_id, ids, logo_url)

    def postpone(
        self, linked: LinkedSite, result: DeliveryResult, logos: Mapping[str, str]
    ) -> None:
        """Note what is owed by its own fault, to be tried again less and less often."""
        reasons = {
            keys.entity_sk(outcome.key): ("; ".join(outcome.messages), "")
            for outcome in result.owed
            if outcome.at_fault
        }
        for container_id, reason in result.components.at_fault.items():
            reasons[keys.component_sk(container_id)] = (reason, logos[container_id])
        if not reasons:
            return
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        known = self._debts.known(workspace_id, tenant_id, reasons)
        delays = []
        for sk, (reason, logo_url) in reasons.items():
            tries = known[sk].tries if sk in known else 0
            wait = int(entity_back_off(tries) * 1000)
            delays.append(Delay(sk, reason, tries + 1, self._schedule.now() + wait, logo_url))
        self._debts.put_off(workspace_id, tenant_id, delays)
        logger.warning("A site accepts some and fails on others", postponed=len(delays))
        count(Metric.PUT_OFF, len(delays))

    def replay_of(self, tenant_id: str, workspace_id: str, generation: int = 0) -> Replay:
        """A replay of the link's debts, to be started where none is under way."""
        now = self._schedule.now()
        trouble = self._troubles.of(tenant_id)
        return Replay(
            tenant_id,
            workspace_id,
            generation=generation,
            run=new_run(),
            scope=ReplayScope.DEBTS,
            why="owed",
            stage=Stage.PAY,
            due=max(trouble.until, now) if trouble else now,
            reason=without_details(trouble.message) if trouble else None,
            started_at=now,
            updated_at=now,
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """`paid` debts are struck off; what else of them is owed stands in `result`."""

    result: DeliveryResult
    paid: int


class DebtPayment:
    """Delivers what debts name, as the record has it now, and strikes off those that are paid.

    Every method raises Unavailable, or an AWS error; repeating is safe.
    """

    def __init__(
        self,
        record: RecordStore,
        debts: DebtStore,
        delivery: SiteDelivery,
        debt_recorder: DebtRecorder,
    ) -> None:
        self._record = record
        self._debts = debts
        self._delivery = delivery
        self._debt_recorder = debt_recorder

    def count(self, linked: LinkedSite) -> int:
        return self._debts.count(linked.workspace_id, linked.tenant.id)

    def first_postponed(self, linked: LinkedSite) -> int:
        """When the first of the postponed debts is due, in epoch milliseconds; 0 without any."""
        debts = self._debts.all(linked.workspace_id, linked.tenant.id)
        return min((debt.not_before for debt in debts if debt.not_before), default=0)

    def forget(self, tenant_id: str, workspace_id: str) -> None:
        """Strike off all: the two are not linked any more."""
        while debts := list(islice(self._debts.all(workspace_id, tenant_id), _PAGE)):
            self._debts.paid(workspace_id, tenant_id, debts)

    def pay_next(self, session: SiteSession, linked: LinkedSite, now: int) -> Payment | None:
        """Pay a page of debts; None where there are none but postponed ones that are not due.

        Raises Stopped.
        """
        debts = self._next(linked, now)
        if not debts:
            return None
        if debts[0].not_before is not None:
            session.probe()
        deliver = self._deliver_components if debts[0].is_component else self._deliver_entities
        result, paid = deliver(session, linked, debts)
        self._debts.paid(linked.workspace_id, linked.tenant.id, paid)
        return Payment(result, len(paid))

    def _next(self, linked: LinkedSite, now: int) -> Sequence[Debt]:
        """Of one kind, as a request to Jira holds one kind. Postponed ones come last, so that
        nothing else waits for them."""
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        for kind in Kind:
            debts = self._debts.page(workspace_id, tenant_id, kind, _PAGE)
            if debts:
                return debts
        components = self._debts.components(workspace_id, tenant_id, _FEW)
        return components or self._postponed(linked, now)

    def _postponed(self, linked: LinkedSite, now: int) -> Sequence[Debt]:
        """Those of the first kind that are due."""
        debts = self._debts.all(linked.workspace_id, linked.tenant.id)
        due = (debt for debt in debts if debt.not_before is not None and debt.not_before <= now)
        first = next(due, None)
        if first is None:
            return ()
        alike = takewhile(lambda debt: debt.kind == first.kind, due)
        return [first, *islice(alike, _FEW - 1)]

    def _deliver_components(
        self, session: SiteSession, linked: LinkedSite, debts: Sequence[Debt]
    ) -> tuple[DeliveryResult, Sequence[Debt]]:
        suspected = debts[0].not_before is not None
        logos = {debt.component_id: debt.logo_url for debt in debts}
        result = self._delivery.deliver(session, linked, logos=logos, suspected=suspected)
        self._debt_recorder.postpone(linked, result, logos)
        left = {*result.components.at_fault, *result.components.waiting}
        return result, [debt for debt in debts if debt.component_id not in left]

    def _deliver_entities(
        self, session: SiteSession, linked: LinkedSite, debts: Sequence[Debt]
    ) -> tuple[DeliveryResult, Sequence[Debt]]:
        """The first of these, as many as one page of entities holds.

        The record is read after the debts: what is delivered is at least as new as they are. What
        was answered meanwhile, as by a walk, is not sent again; a deletion is, as a delivery that
        was under way may have undone it.
        """
        entities = [debt.key for debt in debts]
        entries, looked_up = self._record.first_of(linked.workspace_id, entities, _PAGE_BYTES)
        outcomes = self._record.outcomes_of(
            linked.workspace_id, linked.tenant.id, [entry.key for entry in entries]
        )
        states = [
            entry.state
            for entry in entries
            if entry.state
            and state_of(entry, outcomes.get(entry.key), linked.generation) is OutcomeState.OWED
        ]
        deleted = [entry for entry in entries if entry.state is None]
        suspected = debts[0].not_before is not None
        result = self._delivery.deliver(session, linked, states, deleted, suspected=suspected)
        self._debt_recorder.postpone(linked, result, {})
        owed = {outcome.key for outcome in result.owed}
        return result, [debt for debt in debts[:looked_up] if debt.key not in owed]
