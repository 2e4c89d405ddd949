"""Delivering entities, deletions and components to one site, and saving the outcomes."""

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

_STARTED_OVER = "The site started over during the delivery."


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """One outcome per entity, and the components that were not delivered."""

    outcomes: Sequence[Outcome]
    components: ComponentsResult = field(default_factory=ComponentsResult)

    @property
    def owed(self) -> list[Outcome]:
        """The outcomes of entities that are still owed, for whatever reason."""
        return [outcome for outcome in self.outcomes if outcome.state is OutcomeState.OWED]

    @property
    def waiting(self) -> list[Outcome]:
        """The owed outcomes for which the site, not the entity, is the cause."""
        return [outcome for outcome in self.owed if not outcome.at_fault]

    @property
    def refused(self) -> int:
        """The number of entities that the site refused."""
        return sum(outcome.is_refusal for outcome in self.outcomes)


class SiteDelivery:
    """Delivers to one site and saves its answers. What it can't accept now is returned as owed.

    `replay_all` is called with a tenant and a workspace id if the state at the site is unknown.
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
        """Deliver states, deletions, and the containers named by `logos` (logo URLs by id).

        `suspected`: all of it failed before while the site accepted others. Raises Unavailable, or
        an AWS error, if the outcomes can't be saved; repeating is safe.
        """
        with logger.append_context_keys(tenant_id=linked.tenant.id):
            submission = SiteSubmission(self._record, session, linked, suspected)
            submitted = submission.submit(states)
            deletions = self._delete(submission, linked, deleted)
            components = deliver_components(
                session, self._containers, linked.workspace_id, logos or {}, suspected
            )
            outcomes = self._saved(linked, submitted, deletions)
            _report(outcomes)
            return DeliveryResult(outcomes, components)

    def _delete(
        self, submission: SiteSubmission, linked: LinkedSite, entries: Sequence[Head]
    ) -> Sequence[Outcome]:
        """Entities of which the site has accepted a newer state are skipped, without an outcome."""
        if not entries:
            return []
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        started = self._record.begin_deletions(workspace_id, tenant_id, entries, linked.generation)
        outcomes = submission.delete(started)
        current = self._record.heads_of(workspace_id, [entry.key for entry in started])
        if not all(head.is_deleted for head in current):
            self._replay_all_of(linked)
        return outcomes

    def _replay_all_of(self, linked: LinkedSite) -> None:
        """Replay everything after an entity was submitted while it was being deleted at the site.

        It is unknown which of the two Jira processed last, and whether Jira would accept the same
        sequence again.
        """
        logger.warning("An entity was submitted again while a site deleted it")
        self._replay_all(linked.tenant, linked.workspace_id)

    def _saved(
        self, linked: LinkedSite, submitted: Sequence[Outcome], deletions: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        self._record.end_deletions(workspace_id, tenant_id, _answered(linked, deletions))
        answered = _answered(linked, submitted)
        if self._record.save_outcomes(workspace_id, tenant_id, answered):
            self._replay_all_of(linked)
        self._confirmation.sample(linked, answered)
        outcomes = [*submitted, *deletions]
        return self._checked(linked, outcomes) if answered or deletions else outcomes

    def _checked(self, linked: LinkedSite, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """All is owed if the site started over during the delivery: what was sent may be gone, or
        Jira may treat it as older than what was sent since."""
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
    """A result in which everything is owed for this reason; it is also counted in a metric."""
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
