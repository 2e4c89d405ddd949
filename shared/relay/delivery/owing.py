"""What a site can't take now is noted as owed, and a replay is begun that pays it."""

from collections.abc import Mapping

from relay.delivery.bringing import Brought
from relay.delivery.decisions import entity_back_off
from relay.delivery.dispatch import Dispatch
from relay.delivery.sites import LinkedSite
from relay.entities import EntityKey
from relay.jira.errors import without_words
from relay.record import DebtStore, Delay
from relay.record.debts import component_sk
from relay.record.keys import sort_key
from relay.telemetry import Metric, count, logger
from relay.tenants import Replay, ReplayStore, Stage, TroubleStore, What
from relay.tenants.replays import new_run


class Owing:
    def __init__(
        self,
        debts: DebtStore,
        replays: ReplayStore,
        troubles: TroubleStore,
        dispatch: Dispatch,
    ) -> None:
        self._debts = debts
        self._replays = replays
        self._troubles = troubles
        self._dispatch = dispatch

    def owe(self, linked: LinkedSite, brought: Brought, logos: Mapping[str, str]) -> None:
        """Note what is owed of what was to be brought; `logos` are those of its containers.

        Raises Unavailable, or an AWS error, where it can't be noted; repeating is safe.
        """
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        if not (brought.owed or brought.components.waiting or brought.components.at_fault):
            return
        # Begun before there are debts, as a break between would leave them with nobody to pay;
        # told again after, as a replay that has ended by then has not seen them.
        before = self._replays.owe(self.replay_of(tenant_id, workspace_id, linked.generation))
        self.note(linked, brought, logos)
        self.put_off(linked, brought, logos)
        replay = self.replay_of(tenant_id, workspace_id, linked.generation)
        if self._replays.owe(replay) or before:
            self._dispatch.send(replay)

    def note(self, linked: LinkedSite, brought: Brought, logos: Mapping[str, str]) -> None:
        """Note what waits as debts, for a replay that is under way."""
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        by_reason: dict[str, list[EntityKey]] = {}
        for outcome in brought.waiting:
            by_reason.setdefault("; ".join(outcome.messages), []).append(outcome.key)
        for reason, keys in by_reason.items():
            self._debts.owe(workspace_id, tenant_id, keys, reason)
        by_logo: dict[str, list[str]] = {}
        for container_id in brought.components.waiting:
            by_logo.setdefault(logos[container_id], []).append(container_id)
        for logo_url, ids in by_logo.items():
            self._debts.owe_components(workspace_id, tenant_id, ids, logo_url)

    def put_off(self, linked: LinkedSite, brought: Brought, logos: Mapping[str, str]) -> None:
        """Note what is owed by its own fault, to be tried again more and more seldom."""
        reasons = {
            sort_key(outcome.key): ("; ".join(outcome.messages), "")
            for outcome in brought.owed
            if outcome.at_fault
        }
        for container_id, reason in brought.components.at_fault.items():
            reasons[component_sk(container_id)] = (reason, logos[container_id])
        if not reasons:
            return
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        known = self._debts.known(workspace_id, tenant_id, reasons)
        delays = []
        for sk, (reason, logo_url) in reasons.items():
            tries = known[sk].tries if sk in known else 0
            wait = int(entity_back_off(tries) * 1000)
            delays.append(Delay(sk, reason, tries + 1, self._dispatch.now() + wait, logo_url))
        self._debts.put_off(workspace_id, tenant_id, delays)
        logger.warning("A site does not take some of many", put_off=len(delays))
        count(Metric.PUT_OFF, len(delays))

    def replay_of(self, tenant_id: str, workspace_id: str, generation: int = 0) -> Replay:
        """One of what the site is owed, to begin where none is under way."""
        now = self._dispatch.now()
        trouble = self._troubles.of(tenant_id)
        return Replay(
            tenant_id,
            workspace_id,
            generation=generation,
            run=new_run(),
            what=What.DEBTS,
            why="owed",
            stage=Stage.PAY,
            due=max(trouble.until, now) if trouble else now,
            reason=without_words(trouble.message) if trouble else None,
            started_at=now,
            updated_at=now,
        )
