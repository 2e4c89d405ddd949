"""Submitting entities to one site and deleting them there: the protocol, run over a session."""

import random
from collections.abc import Iterable, Sequence
from functools import partial

from relay.delivery.isolation import ALONE_MAX, Answer, Failed, Refused, Suspect, TooLarge
from relay.delivery.protocol import Batch, deliver, outcome_of
from relay.delivery.session import RequestSuspected, SiteSession, Stopped
from relay.delivery.sites import LinkedSite
from relay.entities.model import EntityKey, EntityState, Kind
from relay.jira.answers import SubmitAnswer
from relay.jira.errors import JiraAnswered, JiraError, NothingThere, RequestRefused, RequestTooLarge
from relay.record.entry import Head
from relay.record.outcomes import Outcome, OutcomeState, state_of
from relay.record.store import RecordStore
from relay.telemetry import logger

# After a request or a witness has passed, this many requests may fail in a row before a witness is
# sent again: halving a thousand entities down to one takes ten.
_FAILURES_TRUSTED = 12
# The number of outcomes that are searched for a witness.
_OUTCOMES_SEARCHED = 50


class SiteSubmission:
    """One delivery to one site. `suspected`: all of it failed before while others passed.

    If a request is suspect, a witness shows whether the site accepts entities of its kind. A
    witness is an entity that the site accepted, now or before. Sending it again changes nothing.
    """

    def __init__(
        self, record: RecordStore, session: SiteSession, linked: LinkedSite, suspected: bool
    ) -> None:
        self._record = record
        self._session = session
        self._linked = linked
        self._suspected = suspected
        self._trusted = dict.fromkeys(Kind, 0)
        self._passed: dict[Kind, EntityState] = {}
        self._witnessed: dict[EntityKey, Outcome] = {}
        self._last_error: JiraError | None = None

    def submit(self, states: Iterable[EntityState]) -> list[Outcome]:
        """Submit the states. Returns one outcome per state, and those of the witnesses sent."""
        protocol = deliver(states, self._suspected)
        try:
            batch = next(protocol)
            while True:
                batch = protocol.send(self._answer(batch))
        except StopIteration as end:
            outcomes: list[Outcome] = end.value
        site_failed = any(one.state is OutcomeState.OWED and not one.at_fault for one in outcomes)
        if site_failed and self._last_error and not self._session.stopped_by:
            self._session.blame(self._last_error)
        for outcome in outcomes:
            self._witnessed.pop(outcome.key, None)
        return [*outcomes, *self._witnessed.values()]

    def _answer(self, batch: Batch) -> Answer:
        kind, entities = batch.kind, len(batch.states)
        with logger.append_context_keys(kind=kind.value, entities=entities):
            try:
                answer = self._sent(batch)
            except Stopped as stopped:
                return Failed(stopped.reason)
            except RequestSuspected as suspected:
                return self._suspect(kind, suspected)
            except RequestTooLarge as error:
                logger.warning("A batch is too large for Jira")
                return TooLarge(error.messages or (error.message,))
            except RequestRefused as error:
                logger.warning("Jira refused a batch")
                self._trusted[kind] = _FAILURES_TRUSTED
                return Refused(error.messages or (error.message,))
            logger.info("Jira accepted a batch", failed=len(answer.failed))
            self._trusted[kind] = _FAILURES_TRUSTED
            self._passed[kind] = batch.states[0]
            return answer

    def _sent(self, batch: Batch) -> SubmitAnswer:
        entities = batch.entities(self._linked.generation)
        submit = partial(
            self._session.jira.submit_entities,
            batch.kind,
            entities,
            batch.properties,
            batch.product,
        )
        return self._session.call(submit, holds_entities=True)

    def _suspect(self, kind: Kind, suspected: RequestSuspected) -> Answer:
        self._last_error = suspected.error
        if self._trusted[kind]:
            self._trusted[kind] -= 1
            return Suspect(suspected.reason, proven=True)
        witness = None if self._suspected else self._witness(kind)
        if witness is None:
            return Suspect(suspected.reason)
        return self._answer_by_witness(witness, kind, suspected)

    def _answer_by_witness(
        self, witness: EntityState, kind: Kind, suspected: RequestSuspected
    ) -> Answer:
        batch = Batch(witness.kind, (witness,))
        try:
            answer = self._sent(batch)
        except Stopped as stopped:
            return Failed(stopped.reason)
        except RequestSuspected:
            self._session.blame(suspected.error)
            return Failed(suspected.reason)
        except JiraAnswered:
            # A refusal shows that Jira processes requests of this kind.
            logger.warning("Jira refused an entity that it accepted before")
        else:
            self._witnessed[witness.key] = outcome_of(witness, answer)
        self._trusted[kind] = _FAILURES_TRUSTED
        return Suspect(suspected.reason, proven=True)

    def _witness(self, kind: Kind) -> EntityState | None:
        """A witness of the same kind, or else of the other: both use the same endpoint."""
        others = [other for other in Kind if other is not kind]
        return next(filter(None, map(self._witness_of, [kind, *others])), None)

    def _witness_of(self, kind: Kind) -> EntityState | None:
        if kind in self._passed:
            return self._passed[kind]
        workspace_id, tenant_id = self._linked.workspace_id, self._linked.tenant.id
        outcomes = list(self._record.outcomes(workspace_id, tenant_id, kind, _OUTCOMES_SEARCHED))
        # In random order: the site may no longer accept some of them.
        random.shuffle(outcomes)
        for outcome in outcomes:
            if outcome.state is OutcomeState.ACCEPTED:
                entry = self._record.get(workspace_id, outcome.key)
                state = entry and state_of(entry, outcome, self._linked.generation)
                if entry and state is OutcomeState.ACCEPTED:
                    return entry.state
        return None

    # --- Deletions, one call for each ---

    def delete(self, entries: Sequence[Head]) -> list[Outcome]:
        """Delete the entities. Returns one outcome per entity.

        After ALONE_MAX suspect answers in a row, the rest is owed without a call.
        """
        outcomes: list[Outcome] = []
        in_a_row = 0
        for entry in entries:
            if in_a_row == ALONE_MAX and self._last_error:
                outcomes.append(self._skipped(entry, self._last_error))
                continue
            outcome = self._deleted(entry)
            in_a_row = in_a_row + 1 if outcome.at_fault else 0
            outcomes.append(outcome)
        return outcomes

    def _skipped(self, entry: Head, error: JiraError) -> Outcome:
        if not self._suspected and not self._session.stopped_by:
            self._session.blame(error)
        return _owed_deletion(entry, error.message, at_fault=self._suspected)

    def _deleted(self, entry: Head) -> Outcome:
        kind, entity_id = entry.key
        session = self._session
        try:
            try:
                session.call(
                    lambda: session.jira.delete_entity(kind, entity_id),
                    but_for=(NothingThere,),
                    holds_entities=True,
                )
            except NothingThere as error:
                # The entity is gone, unless the whole site is.
                if not session.probe():
                    session.blame(error)
                    raise Stopped(error.message) from error
        except Stopped as stopped:
            return _owed_deletion(entry, stopped.reason)
        except RequestSuspected as suspected:
            self._last_error = suspected.error
            return _owed_deletion(entry, suspected.reason, at_fault=True)
        except JiraAnswered as error:
            messages = error.messages or (error.message,)
            return Outcome(
                entry.key, entry.sequence, OutcomeState.REJECTED, messages, of_deletion=True
            )
        return Outcome(entry.key, entry.sequence, OutcomeState.DELETED)


def _owed_deletion(entry: Head, reason: str, at_fault: bool = False) -> Outcome:
    return Outcome(entry.key, entry.sequence, OutcomeState.OWED, (reason,), at_fault=at_fault)
