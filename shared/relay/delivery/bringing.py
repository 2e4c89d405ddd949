"""Bringing to one site what it is to have, as far as it takes it now."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from relay.aws import AWS_ERRORS
from relay.catalog import ContainerStore
from relay.delivery.components import ComponentsResult, bring_components
from relay.delivery.confirming import Confirming
from relay.delivery.health import Clock, SiteHealth
from relay.delivery.requesting import Requesting
from relay.delivery.site_submission import SiteSubmission
from relay.delivery.sites import LinkedSite, Sites
from relay.delivery.visit import Stopped, TimeLeft, Visit
from relay.entities import EntityKey, EntityState
from relay.errors import Unavailable
from relay.record import Head, Outcome, OutcomeState, RecordStore
from relay.telemetry import Metric, count, logger
from relay.tenants import TroubleStore

_NO_SECRET = "The site's secret can't be read now."  # noqa: S105
_UNINSTALLED = "The site has uninstalled the app."
_BEGAN_ANEW = "The site has begun anew meanwhile."
_NOT_READABLE = (*AWS_ERRORS, Unavailable)


@dataclass(frozen=True, slots=True)
class Brought:
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


class Bringing:
    """What the site answered is kept; what it could not take now comes back as owed, with why."""

    def __init__(
        self,
        record: RecordStore,
        sites: Sites,
        troubles: TroubleStore,
        containers: ContainerStore,
        confirming: Confirming,
        requesting: Requesting,
        clock: Clock = time.time,
    ) -> None:
        self._confirming = confirming
        self._requesting = requesting
        self._record = record
        self._sites = sites
        self._troubles = troubles
        self._containers = containers
        self._clock = clock

    def visit(self, linked: LinkedSite, time_left: TimeLeft) -> Visit:
        """Raises Stopped where the site may not be called now."""
        health = SiteHealth(self._troubles, linked, self._clock)
        try:
            site = self._sites.seen_by(linked)
        except _NOT_READABLE as error:
            # Its own trouble, which must not keep anything from the others.
            logger.exception("A site can't be called", tenant_id=linked.tenant.id)
            raise Stopped(_NO_SECRET) from error
        if site is None:
            raise Stopped(_UNINSTALLED)
        if not health.may_call():
            raise Stopped(health.reason)
        return Visit(site, health, time_left, linked.workspace_id)

    def bring(
        self,
        visit: Visit,
        linked: LinkedSite,
        states: Sequence[EntityState] = (),
        deleted: Sequence[Head] = (),
        logos: Mapping[str, str] | None = None,
        suspected: bool = False,
    ) -> Brought:
        """States and deletions of entities; `logos` are those of the containers to be brought.
        `suspected`: all of it failed before while the site took others.

        Raises Unavailable, or an AWS error, where the outcomes can't be kept; repeating is safe.
        """
        with logger.append_context_keys(tenant_id=linked.tenant.id):
            submission = SiteSubmission(self._record, visit, linked, suspected)
            submitted = submission.submit(states)
            deletions = self._delete(submission, linked, deleted)
            components = bring_components(
                visit, self._containers, linked.workspace_id, logos or {}, suspected
            )
            outcomes = self._kept(linked, submitted, deletions)
            _report(outcomes)
            return Brought(outcomes, components)

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
            self._begin_anew(linked)
        return outcomes

    def _begin_anew(self, linked: LinkedSite) -> None:
        """An entity came back while it was being deleted at the site: which of the two Jira took
        last, nobody knows, and whether it takes the same sequence once more. So it gets all."""
        logger.warning("An entity came back while a site was told to delete it")
        self._requesting.replay_all(linked.tenant, linked.workspace_id)

    def _kept(
        self, linked: LinkedSite, submitted: Sequence[Outcome], deletions: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        self._record.end_deletions(workspace_id, tenant_id, _answered(linked, deletions))
        answered = _answered(linked, submitted)
        if self._record.save_outcomes(workspace_id, tenant_id, answered):
            self._begin_anew(linked)
        self._confirming.sample(linked, answered)
        outcomes = [*submitted, *deletions]
        return self._checked(linked, outcomes) if answered or deletions else outcomes

    def _checked(self, linked: LinkedSite, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """What was sent before the site began anew may be gone, or be taken for an older state
        than what it was sent since: then all is owed."""
        if self._sites.generation(linked.tenant.id, linked.workspace_id) == linked.generation:
            return list(outcomes)
        return [_owed(outcome.key, outcome.sequence, _BEGAN_ANEW) for outcome in outcomes]


def _answered(linked: LinkedSite, outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [
        replace(outcome, generation=linked.generation)
        for outcome in outcomes
        if outcome.state is not OutcomeState.OWED
    ]


def nothing_brought(
    states: Iterable[EntityState],
    deleted: Iterable[Head],
    component_ids: Collection[str],
    reason: str,
) -> Brought:
    """All of it is owed."""
    known = [(state.key, state.sequence) for state in states]
    known += [(entry.key, entry.sequence) for entry in deleted]
    outcomes = [_owed(key, sequence, reason) for key, sequence in known]
    count(Metric.OWED, len(outcomes))
    return Brought(outcomes, ComponentsResult(waiting=component_ids))


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
