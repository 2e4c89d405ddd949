"""The outcome of an entity's state at a site, and how it is written to and read from its item.

The attribute `deleting` is the generation in which Relay started to delete the entity at the site;
the outcome of the deletion removes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from relay import keys
from relay.entities.model import EntityKey, Kind
from relay.record.entry import Head
from relay.record.transactions import Write
from relay.table import Item

_DELETING = "deleting"


class OutcomeState(StrEnum):
    """What the site answered for an entity's recorded state.

    `owed`: nothing yet. `accepted`: Jira accepted it. `rejected`: Jira rejected it. `unknown
    project keys`: it is associated only with projects that the site does not have. `unaccounted`:
    Jira accepted the request, but its response does not name the entity. `absent`: Jira accepted
    it, but does not return it some minutes later. `deleted`: it is deleted at the site.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN_PROJECTS = "unknown project keys"
    UNACCOUNTED = "unaccounted"
    ABSENT = "absent"
    DELETED = "deleted"
    OWED = "owed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`messages` are Jira's, or Relay's where Jira sent none; `at` is when the outcome was saved.

    `generation` is the link's when the site answered: the site may have lost entities of an earlier
    one. `of_deletion` distinguishes the outcome of a deletion from that of a state with the same
    sequence. `at_fault` marks an owed entity that fails although the site accepts others, which
    need not wait for it.
    """

    key: EntityKey
    sequence: int
    state: OutcomeState
    messages: tuple[str, ...] = ()
    unknown_project_keys: tuple[str, ...] = ()
    generation: int = 0
    of_deletion: bool = False
    at_fault: bool = False
    at: str = field(default="", compare=False)

    @property
    def is_refusal(self) -> bool:
        """Whether Jira refused the entity.

        A review that the response does not name is not refused: Jira documents no list of reviews.
        """
        if self.state is OutcomeState.UNACCOUNTED:
            return self.key.kind is not Kind.REVIEW
        return self.state in _REFUSALS


_REFUSALS = (OutcomeState.REJECTED, OutcomeState.UNKNOWN_PROJECTS, OutcomeState.ABSENT)


# The limit for an outcome's messages, and for its project keys. A hundred outcomes, each with a key
# of a kilobyte, must fit into a transaction of 4 MB.
_TEXTS_BYTES_MAX = 15_000


def bounded(texts: Iterable[str]) -> list[str]:
    """The first of these texts, within an outcome's limit; the last one may be cut."""
    within: list[str] = []
    left = _TEXTS_BYTES_MAX
    for text in texts:
        if left <= 0:
            break
        part = text.encode()[:left]
        within.append(part.decode(errors="ignore"))
        left -= len(part) + 1
    return within


def state_of(entry: Head, outcome: Outcome | None, generation: int) -> OutcomeState:
    """The state at a site of an entry with this outcome, in the link's current generation.

    An outcome counts only for its own state and generation; after an older one, the recorded state
    is owed. A deleted entity that was not sent in this generation counts as deleted.
    """
    if outcome is None or outcome.generation < generation:
        return OutcomeState.DELETED if entry.is_deleted else OutcomeState.OWED
    if outcome.sequence < entry.sequence:
        return OutcomeState.OWED
    is_of_deletion = outcome.of_deletion or outcome.state is OutcomeState.DELETED
    if entry.is_deleted and not is_of_deletion:
        return OutcomeState.OWED
    return outcome.state


def outcome_write(workspace_id: str, tenant_id: str, outcome: Outcome) -> Write:
    """The write of an outcome; its condition compares `seq` and `generation`."""
    values: dict[str, Any] = {
        "seq": outcome.sequence,
        "state": outcome.state.value,
        "messages": bounded(outcome.messages) or None,
        "unknownProjectKeys": bounded(outcome.unknown_project_keys) or None,
        "generation": outcome.generation,
        "ofDeletion": outcome.of_deletion or None,
        "at": datetime.now(UTC).isoformat(),
        # The outcome of a deletion ends it. Any other outcome is written only if no deletion has
        # started in its generation.
        _DELETING: None,
    }
    against = {"generation": outcome.generation}
    key = keys.outcomes(workspace_id, tenant_id).key_of(outcome.key)
    return Write(*key, values, against=against)


def deletion_write(workspace_id: str, tenant_id: str, entry: Head, generation: int) -> Write:
    """The write that notes the start of a deletion at a site."""
    first = {
        "state": OutcomeState.OWED.value,
        "generation": generation,
        "at": datetime.now(UTC).isoformat(),
    }
    return Write(
        *keys.outcomes(workspace_id, tenant_id).key_of(entry.key),
        {"seq": entry.sequence, _DELETING: generation},
        at_first=first,
    )


def stored_outcome(item: Item) -> Outcome:
    """The outcome in an item."""
    return Outcome(
        key=keys.entity_of(item["sk"]),
        sequence=int(item["seq"]),
        state=OutcomeState(item["state"]),
        messages=tuple(item.get("messages", ())),
        unknown_project_keys=tuple(item.get("unknownProjectKeys", ())),
        generation=int(item.get("generation", 0)),
        of_deletion=item.get("ofDeletion", False),
        at=item["at"],
    )


def is_overtaken(write: Write, existing: Item) -> bool:
    """Whether the deletion of an older state at the site has started and refused this write."""
    return _DELETING in existing and int(existing["seq"]) < int(write.values["seq"])
