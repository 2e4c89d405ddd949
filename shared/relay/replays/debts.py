"""Debts: recording, postponing and paying what a site could not accept.

A debt names an entity but holds none of its data: the state to deliver is read from the record.
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
from relay.record.debts import Debt, DebtStore, LinkDebts, Postponement
from relay.record.outcomes import OutcomeState, state_of
from relay.record.store import RecordStore
from relay.replays.schedule import ReplaySchedule
from relay.telemetry import Metric, count, logger
from relay.tenants.replay import Replay, ReplayScope, Stage, new_run
from relay.tenants.replays import ReplayStore
from relay.tenants.troubles import TroubleStore

_PAGE = 1000
# The size of the entities that are held in memory at once, parsed.
_PAGE_BYTES = 5_000_000
# The most components or postponed entities that are delivered at once.
_SMALL_PAGE = 500


class DebtRecorder:
    """Records what a site did not accept.

    Every method raises Unavailable, or an AWS error; repeating is safe. `logos` are logo URLs by
    container id.
    """

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
        """Record what the site did not accept, and start a replay that pays it.

        `logos` are those of the containers that were to be delivered.
        """
        components = result.components
        if not (result.owed or components.waiting or components.at_fault):
            return
        # Start the replay before the debts exist, so that they are paid even if this is cut off.
        # Start it again afterwards, because a replay that has ended by then has not seen them.
        replay = self.replay_of(linked.tenant.id, linked.workspace_id, linked.generation)
        started_before = self._replays.owe(replay)
        self.record(linked, result, logos)
        self.postpone(linked, result, logos)
        replay = self.replay_of(linked.tenant.id, linked.workspace_id, linked.generation)
        if self._replays.owe(replay) or started_before:
            self._schedule.send(replay)

    def record(self, linked: LinkedSite, result: DeliveryResult, logos: Mapping[str, str]) -> None:
        """Record what waits for the site as debts, for a replay that is under way."""
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
        """Record what is at fault itself as postponed: it is tried again less and less often."""
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
            delays.append(
                Postponement(sk, reason, tries + 1, self._schedule.now() + wait, logo_url)
            )
        self._debts.postpone(workspace_id, tenant_id, delays)
        logger.warning("A site accepts some entities and fails on others", postponed=len(delays))
        count(Metric.POSTPONED, len(delays))

    def count(self, linked: LinkedSite) -> int:
        """The number of the link's debts, postponed ones included."""
        return self._debts.count(linked.workspace_id, linked.tenant.id)

    def forget(self, tenant_id: str, workspace_id: str) -> None:
        """Remove all debts, because the two are no longer linked."""
        while debts := list(islice(self._debts.of_link(workspace_id, tenant_id).all(), _PAGE)):
            self._debts.paid(workspace_id, tenant_id, debts)

    def replay_of(self, tenant_id: str, workspace_id: str, generation: int = 0) -> Replay:
        """A new replay of the link's debts, due when the site may be called. It is not stored."""
        now = self._schedule.now()
        trouble = self._troubles.of(tenant_id)
        return Replay(
            tenant_id,
            workspace_id,
            walked_generation=generation,
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
    """The result of paying a page of debts; `paid` is the number that was removed."""

    result: DeliveryResult
    paid: int


class DebtPayment:
    """Delivers the current state of the entities that debts name, and removes the paid debts.

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

    def first_postponed(self, linked: LinkedSite) -> int:
        """When the first postponed debt is due, in epoch milliseconds; 0 if there is none."""
        debts = self._of(linked).all()
        return min((debt.not_before for debt in debts if debt.not_before), default=0)

    def pay_next(self, session: SiteSession, linked: LinkedSite, now: int) -> Payment | None:
        """Pay a page of debts; None if only postponed debts that are not due are left.

        `now` is in epoch milliseconds. Raises Stopped.
        """
        debts = self._next(self._of(linked), now)
        if not debts:
            return None
        if debts[0].not_before is not None:
            session.probe()
        deliver = self._deliver_components if debts[0].is_component else self._deliver_entities
        result, paid = deliver(session, linked, debts)
        self._debts.paid(linked.workspace_id, linked.tenant.id, paid)
        return Payment(result, len(paid))

    def _of(self, linked: LinkedSite) -> LinkDebts:
        return self._debts.of_link(linked.workspace_id, linked.tenant.id)

    def _next(self, owed: LinkDebts, now: int) -> Sequence[Debt]:
        """The next debts of one kind, because a request to Jira holds one kind. Postponed ones come
        last, so that nothing else waits for them."""
        for kind in Kind:
            debts = owed.page(kind, _PAGE)
            if debts:
                return debts
        components = owed.components(_SMALL_PAGE)
        return components or self._postponed(owed, now)

    def _postponed(self, owed: LinkDebts, now: int) -> Sequence[Debt]:
        """The postponed debts that are due, of the kind of the first one."""
        debts = owed.all()
        due = (debt for debt in debts if debt.not_before is not None and debt.not_before <= now)
        first = next(due, None)
        if first is None:
            return ()
        alike = takewhile(lambda debt: debt.kind == first.kind, due)
        return [first, *islice(alike, _SMALL_PAGE - 1)]

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
        """Pay the first of these debts, up to one page of entities.

        The record is read after the debts, so the states are at least as new as the debts. States
        that were answered in between, such as during a walk, are not sent again. Deletions are,
        because a delivery that was under way may have undone them.
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
