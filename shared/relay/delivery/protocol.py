"""Delivering entities to a site as a protocol without I/O: it yields requests, is sent answers.

    protocol = deliver(states)
    request = next(protocol)
    while True:
        request = protocol.send(<the site's answer>)      # StopIteration has the outcomes

Every entity gets exactly one outcome. None is sent again once the site has accepted or refused it.
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
# Jira documents a 413 without a limit; 5 MB is derived from its sibling APIs.
BATCH_BYTES_MAX = 5_000_000
# The largest properties and product, at six bytes of JSON per character, and the digits that are
# added when sequences are raised.
_ENVELOPE_BYTES = 20_000
# Limits what is stored: an entity may be associated with issues of any number of projects.
_PROJECT_KEYS_MAX = 100
_NOT_NAMED = "Jira accepted the request but did not name this entity."
# Jira documents lists of incidents only. If it names no review in them, the 202 still means that
# the submission was accepted, but not what happened to this review.
_NO_LIST_OF_REVIEWS = "Jira accepted the request but did not name this review, which it may omit."


@dataclass(frozen=True, slots=True)
class Batch:
    """One request: entities of one kind with the same properties and product.

    One kind, because Jira's answer names entities only by id; one set of properties and one
    product, because a request holds only one.
    """

    kind: Kind
    states: tuple[EntityState, ...]

    @property
    def size(self) -> int:
        """The size of its entities in bytes."""
        return sum(map(_bytes, self.states))

    def of(self, states: Iterable[EntityState]) -> "Batch":
        """A batch of the same kind with these states."""
        return Batch(self.kind, tuple(states))

    def cut(self, too_large: "Batch") -> list["Batch"]:
        """This batch in parts of at most half the bytes of `too_large`."""
        return [self.of(states) for states in _cut(self.states, too_large.size // 2)]

    @property
    def properties(self) -> Mapping[str, str]:
        """The properties of the submission."""
        return self.states[0].properties

    @property
    def product(self) -> str:
        """The name of the operations tool, or empty."""
        return self.states[0].product

    def entities(self, generation: int) -> list[Mapping[str, Any]]:
        """Its entities as they are sent, each sequence raised by the generation (see `raised`)."""
        return [raised(state, generation).entity for state in self.states]


def raised(state: EntityState, generation: int) -> EntityState:
    """The state with its `updateSequenceNumber` raised by the site's generation.

    Jira does not document whether it accepts the old sequence of an entity that it deleted. It
    accepts a higher one in any case. The newest sequence plus the generation is higher than any
    sent before, because earlier deliveries added a lower generation.
    """
    if not generation:
        return state
    sequence = min(state.sequence + generation, INT64_MAX)
    return replace(state, entity={**state.entity, "updateSequenceNumber": sequence})


def deliver(
    states: Iterable[EntityState], suspected: bool = False
) -> Generator[Batch, Answer, list[Outcome]]:
    """Deliver these states, one per entity, in as few requests as the limits allow.

    See `isolation` for how the entities at fault are found, and for `suspected`. After a failure of
    the site nothing more is sent; the rest is owed, with the failure's reason. Returns one outcome
    per state.
    """
    settled = yield from settle(batches(states), suspected)
    return [outcome_of(state, answer) for batch, answer in settled for state in batch.states]


def batches(states: Iterable[EntityState]) -> list[Batch]:
    """The fewest batches that hold these states, in the same order."""
    groups: dict[tuple[Kind, tuple[tuple[str, str], ...], str], list[EntityState]] = {}
    for state in states:
        properties = tuple(sorted(state.properties.items()))
        groups.setdefault((state.kind, properties, state.product), []).append(state)
    return [Batch(kind, states) for (kind, *_), group in groups.items() for states in _cut(group)]


def _cut(
    group: Sequence[EntityState], bytes_max: int = BATCH_BYTES_MAX - _ENVELOPE_BYTES
) -> list[tuple[EntityState, ...]]:
    """Chunks of at most BATCH_ENTITIES_MAX states and `bytes_max` bytes. A state that is larger
    gets a chunk of its own."""
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
    """The outcome of this state for the answer to its request.

    For any answer but SubmitAnswer and Failed, the request must have held this state alone.
    """
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
        # Jira stores the entity for the projects that the site has; these are the others.
        missing = _project_keys(state).intersection(answer.unknown_project_keys)
        return Outcome(
            state.key,
            state.sequence,
            OutcomeState.ACCEPTED,
            unknown_project_keys=tuple(sorted(missing)[:_PROJECT_KEYS_MAX]),
        )
    keys = _project_keys(state)
    if keys and keys.issubset(answer.unknown_project_keys):
        # All of its projects are unknown: Jira does not store it, and does not list it as failed.
        return Outcome(
            state.key,
            state.sequence,
            OutcomeState.UNKNOWN_PROJECTS,
            unknown_project_keys=tuple(sorted(keys)[:_PROJECT_KEYS_MAX]),
        )
    message = _NO_LIST_OF_REVIEWS if state.kind is Kind.REVIEW else _NOT_NAMED
    return Outcome(state.key, state.sequence, OutcomeState.UNACCOUNTED, (message,))


def _project_keys(state: EntityState) -> set[str]:
    """The project keys of the associated issues, such as `OPS` of `OPS-12`."""
    return {
        value.rpartition("-")[0]
        for association in state.entity.get("associations", ())
        if association["associationType"] == "issueIdOrKeys"
        for value in association["values"]
    }


def _rejected(state: EntityState, messages: tuple[str, ...]) -> Outcome:
    return Outcome(state.key, state.sequence, OutcomeState.REJECTED, messages)
