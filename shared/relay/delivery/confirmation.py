"""Confirmation: a sample of the entities that a site accepted is read back later.

Jira accepts entities before it processes them, so an accepted entity may never show. Such an entity
gets the state `absent`: Jira gives no reason for it.
"""

import random
from collections.abc import Iterable

from relay.aws import AWS_ERRORS
from relay.delivery.sites import LinkedSite, Sites
from relay.entities.model import EntityKey
from relay.jira.errors import JiraError
from relay.jira.workspace_jira import WorkspaceJira
from relay.queues.replays import ReplaysQueue, Sample
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.store import RecordStore
from relay.telemetry import Metric, count, logger

# Each entity costs one call to Jira, and one invocation checks all of a message.
_SAMPLE_MAX = 20
_NOT_SHOWN = "Jira accepted it but does not show it."


class Confirmation:
    """Samples `percent` of the accepted entities of a batch, and at least one; none if it is 0."""

    def __init__(
        self, queue: ReplaysQueue, sites: Sites, record: RecordStore, percent: int
    ) -> None:
        self._queue = queue
        self._sites = sites
        self._record = record
        self._percent = percent

    def sample(self, linked: LinkedSite, outcomes: Iterable[Outcome]) -> None:
        """Queue a sample of the accepted outcomes. An AWS error is logged and not raised: nothing
        depends on the sample."""
        accepted = [one for one in outcomes if one.state is OutcomeState.ACCEPTED]
        if not (self._percent and accepted):
            return
        size = min(max(len(accepted) * self._percent // 100, 1), _SAMPLE_MAX)
        chosen = [(one.key, one.sequence) for one in random.sample(accepted, size)]
        sample = Sample(linked.tenant.id, linked.workspace_id, linked.generation, chosen)
        try:
            self._queue.send_sample(sample)
        except AWS_ERRORS:
            logger.exception("A sample could not be queued")

    def check(self, sample: Sample) -> None:
        """Read the sample back, and save the outcome `absent` for entities that Jira lacks.

        Raises Unavailable, or an AWS error; an error of Jira's ends the check and is logged.
        """
        linked = self._sites.link(sample.tenant_id, sample.workspace_id)
        # Entities accepted before the site started over are expected to be gone.
        if linked is None or linked.generation != sample.generation or linked.trouble:
            return
        site = self._sites.jira_for(linked)
        absent = [] if site is None else self._absent(site, sample)
        self._record.save_outcomes(sample.workspace_id, sample.tenant_id, absent)
        count(Metric.ABSENT, len(absent))
        logger.info("Confirmed", absent=len(absent), tenant_id=sample.tenant_id)

    def _absent(self, jira: WorkspaceJira, sample: Sample) -> list[Outcome]:
        keys = [key for key, _ in sample.accepted]
        heads = self._record.heads_of(sample.workspace_id, keys)
        current = {head.key: head.sequence for head in heads if not head.is_deleted}
        # A later delivery is responsible for entities that have changed or gone since.
        unchanged = [
            (key, sequence) for key, sequence in sample.accepted if current.get(key) == sequence
        ]
        absent = []
        try:
            for key, sequence in unchanged:
                if jira.entity(key.kind, key.id) is None:
                    absent.append(_absent(key, sequence, sample.generation))
        except JiraError as error:
            # The rest is not checked: a site in trouble gets no more calls for a sample.
            logger.warning("A sample could not be read back", reason=error.reason)
        return absent


def _absent(key: EntityKey, sequence: int, generation: int) -> Outcome:
    return Outcome(key, sequence, OutcomeState.ABSENT, (_NOT_SHOWN,), generation=generation)
