"""Record what was submitted, then deliver it to every linked site."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from relay.aws import AWS_ERRORS
from relay.catalog import ContainerStore
from relay.delivery.components import bring_components
from relay.delivery.message import Message
from relay.delivery.protocol import Answer, Batch, Failed, Refused, deliver
from relay.delivery.sites import Site, Sites
from relay.entities import EntityKey, EntityState
from relay.errors import Unavailable
from relay.jira import JiraError, RequestRefused, RequestTooLarge
from relay.record import Entry, Outcome, OutcomeState, Recorded, RecordStore
from relay.telemetry import Metric, count, logger

_NOT_TAKEN = (*AWS_ERRORS, Unavailable)


@dataclass
class Result:
    """What of one workspace's messages is not done: nothing of it may be acknowledged."""

    owed: set[EntityKey] = field(default_factory=set)
    failed: bool = False
    failed_components: bool = False

    def concerns(self, message: Message) -> bool:
        return (
            self.failed
            or not self.owed.isdisjoint(message.keys)
            or (self.failed_components and bool(message.containers))
        )


class Delivery:
    def __init__(self, record: RecordStore, sites: Sites, containers: ContainerStore) -> None:
        self._record = record
        self._sites = sites
        self._containers = containers

    def process(self, messages: Sequence[Message]) -> list[Message]:
        """Record and deliver; returns the messages that must come again.

        A message is done when each of its entities is recorded, in this state or a newer one, and
        every linked site has answered for it.
        """
        by_workspace: dict[str, list[Message]] = {}
        for message in messages:
            by_workspace.setdefault(message.workspace_id, []).append(message)
        return [
            message
            for workspace_id, group in by_workspace.items()
            for message in self._process_workspace(workspace_id, group)
        ]

    def _process_workspace(self, workspace_id: str, messages: list[Message]) -> list[Message]:
        result = Result()
        correlation_ids = sorted({message.correlation_id for message in messages})
        with logger.append_context_keys(workspace_id=workspace_id, correlation_ids=correlation_ids):
            try:
                self._record_and_deliver(workspace_id, messages, result)
            except _NOT_TAKEN:
                logger.exception("The workspace's messages were not taken")
                result.failed = True
        return [message for message in messages if result.concerns(message)]

    def _record_and_deliver(
        self, workspace_id: str, messages: list[Message], result: Result
    ) -> None:
        recorded = self._record_newest(workspace_id, messages)
        deleted = self._still_deleted(workspace_id, messages)
        for tenant in self._sites.linked_to(workspace_id):
            try:
                site = self._sites.of(tenant)
            except _NOT_TAKEN:
                # Its own trouble, which must not keep anything from the others.
                logger.exception("A site can't be called", tenant_id=tenant.id)
                result.failed = True
                continue
            if site is None:
                continue
            states = self._still_to_deliver(workspace_id, site, recorded)
            outcomes = [*_submit(site, states), *_delete(site, deleted)]
            self._record.save_outcomes(workspace_id, site.tenant.id, outcomes)
            result.owed |= _report(site, outcomes)
            result.failed_components |= not bring_components(site, self._containers, messages)

    def _record_newest(self, workspace_id: str, messages: list[Message]) -> Recorded:
        states = [state for message in messages for state in message.states]
        recorded = self._record.put_newest(workspace_id, states)
        count(Metric.RECORDED, len(recorded.new))
        count(Metric.OUTDATED, len(recorded.outdated))
        logger.info(
            "Recorded",
            new=len(recorded.new),
            same=len(recorded.same),
            outdated=len(recorded.outdated),
        )
        return recorded

    def _still_deleted(self, workspace_id: str, messages: list[Message]) -> list[Entry]:
        """What was to be deleted and has not come back since."""
        keys = {key for message in messages for key in message.deleted}
        entries = self._record.get_all(workspace_id, keys)
        return [entry for entry in entries if entry.deleted_at is not None]

    def _still_to_deliver(
        self, workspace_id: str, site: Site, recorded: Recorded
    ) -> list[EntityState]:
        """What is new, and what was recorded before without an outcome: a message come again.

        An outdated state is not delivered: the message with the newer one sees to that.
        """
        keys = [state.key for state in recorded.same]
        known = self._record.outcomes_of(workspace_id, site.tenant.id, keys) if keys else {}
        unanswered = [
            state
            for state in recorded.same
            if state.key not in known or known[state.key].sequence < state.sequence
        ]
        return [*recorded.new, *unanswered]


def _submit(site: Site, states: Iterable[EntityState]) -> list[Outcome]:
    """Drive the protocol against the site until every state has its outcome."""
    protocol = deliver(states)
    try:
        batch = next(protocol)
        while True:
            batch = protocol.send(_answer(site, batch))
    except StopIteration as end:
        outcomes: list[Outcome] = end.value
        return outcomes


def _delete(site: Site, entries: Iterable[Entry]) -> list[Outcome]:
    return [Outcome(entry.key, entry.sequence, _deleted(site, entry.key)) for entry in entries]


def _deleted(site: Site, entity: EntityKey) -> OutcomeState:
    count(Metric.JIRA_CALLS)
    try:
        site.jira.delete_entity(entity.kind, entity.id)
    except JiraError as error:
        logger.warning("Jira could not delete", tenant_id=site.tenant.id, reason=error.reason)
        return OutcomeState.OWED
    return OutcomeState.DELETED


def _answer(site: Site, batch: Batch) -> Answer:
    count(Metric.JIRA_CALLS)
    with logger.append_context_keys(
        tenant_id=site.tenant.id, kind=batch.kind.value, entities=len(batch.states)
    ):
        try:
            answer = site.jira.submit_entities(batch.body())
        except (RequestRefused, RequestTooLarge) as error:
            logger.warning("Jira refused a batch", status=error.answer_status)
            return Refused(error.messages or (error.message,))
        except JiraError as error:
            logger.warning("Jira could not take a batch", reason=error.reason)
            return Failed(error.message)
        logger.info("Jira took a batch", failed=len(answer.failed))
        return answer


def _report(site: Site, outcomes: Sequence[Outcome]) -> set[EntityKey]:
    """Count the outcomes; returns what the site is owed."""
    owed = {outcome.key for outcome in outcomes if outcome.state is OutcomeState.OWED}
    done = (OutcomeState.ACCEPTED, OutcomeState.DELETED)
    delivered = sum(outcome.state in done for outcome in outcomes)
    refused = len(outcomes) - delivered - len(owed)
    count(Metric.DELIVERED, delivered)
    count(Metric.REJECTED, refused)
    count(Metric.OWED, len(owed))
    logger.info(
        "Delivered",
        tenant_id=site.tenant.id,
        delivered=delivered,
        refused=refused,
        owed=len(owed),
    )
    return owed
