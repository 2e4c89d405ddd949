"""Bringing entities to a site as a protocol without I/O: it yields requests and is sent answers.

    protocol = deliver(states)
    request = next(protocol)
    while True:
        request = protocol.send(<what the site answered>)      # ends with the outcomes

Every entity gets exactly one outcome; none is sent again once the site has taken or refused it.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relay.delivery.isolation import Answer, Failed, Refused, Suspect, TooLarge, settle
from relay.entities.fields import INT64_MAX
from relay.entities.model import EntityState, Kind
from relay.entities.workspace_ids import bytes_at_site
from relay.jira.answers import SubmitAnswer
from relay.record.outcomes import Outcome, OutcomeState

# Jira's own limit, per kind.
BATCH_ENTITIES_MAX = 1000
# Jira documents a 413 without a number; 5 MiB is a sensible reading of its sibling APIs.
BATCH_BYTES_MAX = 5_000_000
# The largest properties and product, each character of them six bytes of JSON; and the digits that
# sequences get when they are raised.
_ENVELOPE_BYTES = 20_000
# They are kept with the entity, which may be associated with issues of any number of projects.
_PROJECT_KEYS_MAX = 100
_NOT_NAMED = "Jira accepted the request and did not name this entity."
# Documented are lists of incidents alone. Where Jira names no review in them, as it may, the 202
# still says that the submission was accepted; what became of this one, nothing says.
_NO_LIST_OF_REVIEWS = "Jira accepted the request and did not name this review, as it may not."


@dataclass(frozen=True, slots=True)
class Batch:
    """One request: entities of one kind, as Jira's answer names an entity by its id alone, and of
    one set of properties and product, as a request has just one."""

    kind: Kind
    states: tuple[EntityState, ...]

    @property
    def size(self) -> int:
        """The bytes of its entities."""
        return sum(map(_bytes, self.states))

    def of(self, states: Iterable[EntityState]) -> "Batch":
        return Batch(self.kind, tuple(states))

    def cut(self, too_large: "Batch") -> list["Batch"]:
        return [self.of(states) for states in _cut(self.states, too_large.size // 2)]

    @property
    def properties(self) -> Mapping[str, str]:
        return self.states[0].properties

    @property
    def product(self) -> str:
        return self.states[0].product

    def entities(self, generation: int) -> list[Mapping[str, Any]]:
        """Its entities as they are sent: the generation raises each sequence (see `raised`)."""
        return [raised(state, generation).entity for state in self.states]


def raised(state: EntityState, generation: int) -> EntityState:
    """The state as a site gets it that has begun anew so many times.

    Whether Jira, having deleted an entity, takes its old `updateSequenceNumber` again is said
    nowhere; one that is higher than any before, it takes in either case. The record's newest plus
    the generation is such a one: before, no more than that newest plus a lower generation was sent.
    """
    if not generation:
        return state
    sequence = min(state.sequence + generation, INT64_MAX)
    return replace(state, entity={**state.entity, "updateSequenceNumber": sequence})


def deliver(
    states: Iterable[EntityState], suspected: bool = False
) -> Generator[Batch, Answer, list[Outcome]]:
    """Deliver these states, one per entity, in as few requests as the limits allow.

    How the ones are found that a request fails for, and what `suspected` means: see `isolation`.
    After a failure of the site nothing more is sent, and what was not answered is owed for the
    failure's reason.
    """
    settled = yield from settle(batches(states), suspected)
    return [outcome_of(state, answer) for batch, answer in settled for state in batch.states]


def batches(states: Iterable[EntityState]) -> list[Batch]:
    """The fewest batches of these states, in their order."""
    groups: dict[tuple[Kind, tuple[tuple[str, str], ...], str], list[EntityState]] = {}
    for state in states:
        properties = tuple(sorted(state.properties.items()))
        groups.setdefault((state.kind, properties, state.product), []).append(state)
    return [Batch(kind, states) for (kind, *_), group in groups.items() for states in _cut(group)]


def _cut(
    group: Sequence[EntityState], bytes_max: int = BATCH_BYTES_MAX - _ENVELOPE_BYTES
) -> list[tuple[EntityState, ...]]:
    """Chunks of at most a thousand, and of so many bytes; a larger state stands alone."""
    chunks: list[list[EntityState]] = [[]]
    size = 0
    for state in group:
        size += _bytes(state) + 1
        if chunks[-1] and (len(chunks[-1]) == BATCH_ENTITIES_MAX or size > bytes_max):
            chunks.append([])
            size = _bytes(state) + 1
        chunks[-1].append(state)
    return [tuple(chunk) for chunk in chunks]


def _bytes(state: EntityState) -> int:
    return len(state.as_json) + bytes_at_site(state.entity)


def outcome_of(state: EntityState, answer: Answer) -> Outcome:
    """What an answer to a request that held this state, or nothing else, means for it."""
    match answer:
        case SubmitAnswer():
            return _outcome(state, answer)
        case Failed() | Suspect():
            return Outcome(
                state.key,
                state.sequence,
                OutcomeState.OWED,
                (answer.reason,),
                at_fault=isinstance(answer, Suspect),
            )
        case Refused() | TooLarge():
            return _rejected(state, answer.messages)


def _outcome(state: EntityState, answer: SubmitAnswer) -> Outcome:
    entity_id = state.key.id
    if entity_id in answer.failed:
        return _rejected(state, answer.failed[entity_id])
    if entity_id in answer.accepted:
        # Kept for the projects that the site has; for those it does not have, this tells why not.
        missing = _project_keys(state).intersection(answer.unknown_project_keys)
        return Outcome(
            state.key,
            state.sequence,
            OutcomeState.ACCEPTED,
            unknown_project_keys=tuple(sorted(missing)[:_PROJECT_KEYS_MAX]),
        )
    keys = _project_keys(state)
    if keys and keys.issubset(answer.unknown_project_keys):
        # Only known to unknown projects: Jira keeps no such entity, and calls it no failure.
        return Outcome(
            state.key,
            state.sequence,
            OutcomeState.UNKNOWN_PROJECTS,
            unknown_project_keys=tuple(sorted(keys)[:_PROJECT_KEYS_MAX]),
        )
    words = _NO_LIST_OF_REVIEWS if state.kind is Kind.REVIEW else _NOT_NAMED
    return Outcome(state.key, state.sequence, OutcomeState.UNACCOUNTED, (words,))


def _project_keys(state: EntityState) -> set[str]:
    """Of the issues that the entity is associated with: `OPS` of `OPS-12`."""
    return {
        value.rpartition("-")[0]
        for association in state.entity.get("associations", ())
        if association["associationType"] == "issueIdOrKeys"
        for value in association["values"]
    }


def _rejected(state: EntityState, messages: tuple[str, ...]) -> Outcome:
    return Outcome(state.key, state.sequence, OutcomeState.REJECTED, messages)
