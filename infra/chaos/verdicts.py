"""The verdict on one entity at one site."""

from dataclasses import dataclass
from typing import Any

from infra.chaos.jira_faults import REASONS, REFUSAL, TOO_LARGE
from infra.chaos.ledger import UNKNOWN_PROJECT, Known
from infra.chaos.tags import (
    CUT_AFTER,
    LARGE,
    PARTLY_KNOWN,
    POISONS,
    REFUSED,
    REFUSED_AT_TIMES,
    REFUSES_REQUEST,
    REFUSES_REQUEST_AT_TIMES,
    UNKNOWN,
)
from relay.record.debts import Debt
from relay.record.entry import Entry
from relay.record.outcomes import Outcome, OutcomeState

_ALWAYS_REFUSED = (REFUSED, REFUSES_REQUEST)
_REFUSED_AT_TIMES = (REFUSED_AT_TIMES, REFUSES_REQUEST_AT_TIMES, LARGE)
# An entity that the answer did not contain is unaccounted, whether or not the site stored it.
_HELD = (OutcomeState.ACCEPTED, OutcomeState.UNACCOUNTED)

HELD = "held"
IS_REFUSED = "refused"
UNKNOWN_PROJECTS = "unknown projects"
DELETED = "deleted"
AT_FAULT = "at fault"
LOST = "lost"
STALE = "stale"
FOREIGN = "foreign"
UNEXPLAINED = "unexplained"
WRONG = (LOST, STALE, FOREIGN, UNEXPLAINED)


@dataclass(frozen=True)
class EntityAtSite:
    """One entity at one site: `held` is the site's state, the other fields are Relay's."""

    one: Known
    entry: Entry | None
    outcome: Outcome | None
    debt: Debt | None
    held: dict[str, Any] | None
    generation: int
    may_stay: bool


def judge(found: EntityAtSite) -> tuple[str, str]:
    """Returns the verdict, and the reason if something is wrong."""
    if found.debt and found.one.tag in POISONS:
        return _judge_at_fault(found, found.debt)
    if found.debt:
        return UNEXPLAINED, "a debt is left"
    if found.one.deleted or not found.one.sequence:
        return (UNEXPLAINED, "deleted, but held") if found.held else (DELETED, "")
    outcome = found.outcome
    if outcome is None or outcome.sequence != found.one.sequence:
        return LOST if found.held is None else UNEXPLAINED, "no outcome of the newest state"
    if outcome.generation != found.generation:
        return LOST if found.held is None else UNEXPLAINED, "no outcome of this generation"
    if found.one.tag in POISONS:
        return LOST if found.held is None else UNEXPLAINED, "at fault, but not owed"
    if found.one.tag in _ALWAYS_REFUSED or _is_refused_at_times(found):
        return _judge_refused(found, outcome)
    if found.one.tag == UNKNOWN:
        return _judge_unknown(found, outcome)
    return _judge_held(found, outcome)


def _judge_at_fault(found: EntityAtSite, debt: Debt) -> tuple[str, str]:
    if not found.may_stay:
        return UNEXPLAINED, "at fault, but not postponed"
    # Entities that fail together share the reason of one answer.
    if not debt.reason.startswith(REASONS):
        return UNEXPLAINED, "at fault, without Jira's reason"
    if found.held is not None and found.one.tag != CUT_AFTER:
        return UNEXPLAINED, "at fault, but held"
    return AT_FAULT, ""


def _is_refused_at_times(found: EntityAtSite) -> bool:
    outcome = found.outcome
    refused = outcome is not None and outcome.state is OutcomeState.REJECTED
    return refused and found.one.tag in _REFUSED_AT_TIMES


def _judge_refused(found: EntityAtSite, outcome: Outcome) -> tuple[str, str]:
    if outcome.state is not OutcomeState.REJECTED:
        return UNEXPLAINED, "not recorded as rejected"
    words = TOO_LARGE if found.one.tag == LARGE else REFUSAL
    if not any(words in message for message in outcome.messages):
        return UNEXPLAINED, "rejected without Jira's message"
    if found.held is not None and found.one.tag in _ALWAYS_REFUSED:
        return UNEXPLAINED, "refused, but held"
    return IS_REFUSED, ""


def _judge_unknown(found: EntityAtSite, outcome: Outcome) -> tuple[str, str]:
    if found.held is not None:
        return UNEXPLAINED, "of an unknown project, but held"
    if outcome.state is not OutcomeState.UNKNOWN_PROJECTS:
        return UNEXPLAINED, "its unknown project is not recorded"
    named = outcome.unknown_project_keys == (UNKNOWN_PROJECT,)
    return (UNKNOWN_PROJECTS, "") if named else (UNEXPLAINED, "another project is recorded")


def _judge_held(found: EntityAtSite, outcome: Outcome) -> tuple[str, str]:
    if found.held is None:
        return LOST, "not held"
    raised = found.one.sequence + found.generation
    if found.held != found.one.entity | {"updateSequenceNumber": raised}:
        return STALE, "another state"
    if outcome.state not in _HELD:
        return UNEXPLAINED, f"held, but recorded as {outcome.state}"
    wants = (UNKNOWN_PROJECT,) if found.one.tag == PARTLY_KNOWN else ()
    if outcome.state is OutcomeState.ACCEPTED and outcome.unknown_project_keys != wants:
        return UNEXPLAINED, "its unknown project is not recorded"
    return HELD, ""
