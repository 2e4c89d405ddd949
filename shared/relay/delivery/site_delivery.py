"""Bringing to one site what it is to have, as far as it takes it now."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from relay.catalog.containers import ContainerStore
from relay.delivery.components import ComponentsResult, deliver_components
from relay.delivery.confirmation import Confirmation
from relay.delivery.session import SiteSession
from relay.delivery.site_submission import SiteSubmission
from relay.delivery.sites import LinkedSite, Sites
from relay.entities.model import EntityKey, EntityState
from relay.record.entry import Head
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.store import RecordStore
from relay.telemetry import Metric, count, logger
from relay.tenants.tenant import Tenant

_STARTED_OVER = "The site has started over meanwhile."


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """Every entity has an outcome; of the components, only those are told that were not brought."""

    outcomes: Sequence[Outcome]
    components: ComponentsResult = field(default_factory=ComponentsResult)

    @property
    def owed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.state is OutcomeState.OWED]

    @property
    def waiting(self) -> list[Outcome]:
        """What is owed as the site can't take anything now."""
        return [outcome for outcome in self.owed if not outcome.at_fault]

    @property
    def refused(self) -> int:
        return sum(outcome.is_refusal for outcome in self.outcomes)


class SiteDelivery:
    """Saves what the site answered; what it could not accept now is returned as owed, with why.

    `replay_all` is called with a tenant and a workspace where nobody can tell what the site has.
    """

    def __init__(
        self,
        record: RecordStore,
        sites: Sites,
        containers: ContainerStore,
        confirmation: Confirmation,
        replay_all: Callable[[Tenant, str], object],
    ) -> None:
        self._record = record
        self._sites = sites
        self._containers = containers
        self._confirmation = confirmation
        self._replay_all = replay_all

    def deliver(
        self,
        session: SiteSession,
        linked: LinkedSite,
        states: Sequence[EntityState] = (),
        deleted: Sequence[Head] = (),
        logos: Mapping[str, str] | None = None,
        suspected: bool = False,
    ) -> DeliveryResult:
        """States and deletions of entities; `logos` are those of the containers to be brought.
        `suspected`: all of it failed before while the site took others.

        Raises Unavailable, or an AWS error, where the outcomes can't be kept; repeating is safe.
        """
        with logger.append_context_keys(tenant_id=linked.tenant.id):
            submission = SiteSubmission(self._record, session, linked, suspected)
            submitted = submission.submit(states)
            deletions = self._delete(submission, linked, deleted)
            components = deliver_components(
                session, self._containers, linked.workspace_id, logos or {}, suspected
            )
            outcomes = self._kept(linked, submitted, deletions)
            _report(outcomes)
            return DeliveryResult(outcomes, components)

    def _delete(
        self, submission: SiteSubmission, linked: LinkedSite, entries: Sequence[Head]
    ) -> Sequence[Outcome]:
        """Those that the site has taken a newer state of are left out, and get no outcome."""
        if not entries:
            return []
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        begun = self._record.begin_deletions(workspace_id, tenant_id, entries, linked.generation)
        outcomes = submission.delete(begun)
        current = self._record.heads_of(workspace_id, [entry.key for entry in begun])
        if not all(head.is_deleted for head in current):
            self._start_over(linked)
        return outcomes

    def _start_over(self, linked: LinkedSite) -> None:
        """An entity came back while it was being deleted at the site: which of the two Jira took
        last, nobody knows, and whether it takes the same sequence once more. So it gets all."""
        logger.warning("An entity came back while a site was told to delete it")
        self._replay_all(linked.tenant, linked.workspace_id)

    def _kept(
        self, linked: LinkedSite, submitted: Sequence[Outcome], deletions: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        self._record.end_deletions(workspace_id, tenant_id, _answered(linked, deletions))
        answered = _answered(linked, submitted)
        if self._record.save_outcomes(workspace_id, tenant_id, answered):
            self._start_over(linked)
        self._confirmation.sample(linked, answered)
        outcomes = [*submitted, *deletions]
        return self._checked(linked, outcomes) if answered or deletions else outcomes

    def _checked(self, linked: LinkedSite, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """What was sent before the site began anew may be gone, or be taken for an older state
        than what it was sent since: then all is owed."""
        if self._sites.generation(linked.tenant.id, linked.workspace_id) == linked.generation:
            return list(outcomes)
        return [_owed(outcome.key, outcome.sequence, _STARTED_OVER) for outcome in outcomes]


def _answered(linked: LinkedSite, outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [
        replace(outcome, generation=linked.generation)
        for outcome in outcomes
        if outcome.state is not OutcomeState.OWED
    ]


def nothing_delivered(
    states: Iterable[EntityState],
    deleted: Iterable[Head],
    component_ids: Collection[str],
    reason: str,
) -> DeliveryResult:
    """All of it is owed."""
    known = [(state.key, state.sequence) for state in states]
    known += [(entry.key, entry.sequence) for entry in deleted]
    outcomes = [_owed(key, sequence, reason) for key, sequence in known]
    count(Metric.OWED, len(outcomes))
    return DeliveryResult(outcomes, ComponentsResult(waiting=component_ids))


def _owed(key: EntityKey, sequence: int, reason: str) -> Outcome:
    return Outcome(key, sequence, OutcomeState.OWED, (reason,))


def _report(outcomes: Sequence[Outcome]) -> None:
    states = Counter(outcome.state for outcome in outcomes)
    owed = states[OutcomeState.OWED]
    delivered = states[OutcomeState.ACCEPTED] + states[OutcomeState.DELETED]
    refused = sum(outcome.is_refusal for outcome in outcomes)
    count(Metric.DELIVERED, delivered)
    count(Metric.REJECTED, refused)
    count(Metric.OWED, owed)
    logger.info("Delivered", delivered=delivered, refused=refused, owed=owed)
