"""What a site can't take now is noted as owed, and a replay is begun that pays it."""

from collections.abc import Iterable, Mapping

from relay.delivery.dispatch import Dispatch
from relay.delivery.sites import LinkedSite
from relay.record import DebtStore, Outcome
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

    def owe(
        self, linked: LinkedSite, outcomes: Iterable[Outcome], logos: Mapping[str, str]
    ) -> None:
        """Raises Unavailable, or an AWS error, where it can't be noted; repeating is safe."""
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        by_reason: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            by_reason.setdefault("; ".join(outcome.messages), []).append(outcome)
        if not (by_reason or logos):
            return
        # Begun before there are debts, as a break between would leave them with nobody to pay;
        # told again after, as a replay that has ended by then has not seen them.
        before = self._replays.owe(self._replay_of(linked))
        for reason, owed in by_reason.items():
            self._debts.owe(workspace_id, tenant_id, [one.key for one in owed], reason)
        for logo_url in set(logos.values()):
            ids = [container_id for container_id, logo in logos.items() if logo == logo_url]
            self._debts.owe_components(workspace_id, tenant_id, ids, logo_url)
        replay = self._replay_of(linked)
        if self._replays.owe(replay) or before:
            self._dispatch.send(replay)

    def _replay_of(self, linked: LinkedSite) -> Replay:
        now = self._dispatch.now()
        trouble = self._troubles.of(linked.tenant.id)
        return Replay(
            linked.tenant.id,
            linked.workspace_id,
            generation=linked.generation,
            run=new_run(),
            what=What.DEBTS,
            why="owed",
            stage=Stage.PAY,
            due=max(trouble.until, now) if trouble else now,
            reason=trouble.message if trouble else None,
            started_at=now,
            updated_at=now,
        )
