"""What became of an entity's state at a site, and how it is written to its item and read from it.

An outcome's `deleting` is the generation in which the site was told to delete the entity, until
is answered.
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
    """Where the recorded state of an entity is at a site.

    `owed`: the site has not answered for it yet. `accepted`: the site took it. `rejected`: Jira
    refused it. `unknown project keys`: it is associated with projects alone that the site does not
    have. `unaccounted`: Jira took the request and did not name the entity. `absent`: Jira accepted
    it, and shows nothing of it a while later. `deleted`: it is deleted there.
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
    """`messages` are Jira's own words, or ours where Jira had none; `at` is when it was kept.

    `generation` is the site's when it answered: what was of an earlier one may be gone there.
    `of_deletion` tells what became of a deletion from what became of a state of the same sequence.
    `at_fault` is of what is owed: the site takes others, so that they need not wait for this one.
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
        """A review that Jira did not name is none: Jira documents no list that would name it."""
        if self.state is OutcomeState.UNACCOUNTED:
            return self.key.kind is not Kind.REVIEW
        return self.state in _REFUSALS


_REFUSALS = (OutcomeState.REJECTED, OutcomeState.UNKNOWN_PROJECTS, OutcomeState.ABSENT)


# Of the messages of an outcome, and of its project keys: a hundred outcomes, each with its key of a
# kilobyte, are one transaction of 4 MB.
_TEXTS_BYTES_MAX = 15_000


def bounded(texts: Iterable[str]) -> list[str]:
    """As many of these as an outcome has room for; the last one may be cut."""
    kept: list[str] = []
    left = _TEXTS_BYTES_MAX
    for text in texts:
        if left <= 0:
            break
        part = text.encode()[:left]
        kept.append(part.decode(errors="ignore"))
        left -= len(part) + 1
    return kept


def state_of(entry: Head, outcome: Outcome | None, generation: int) -> OutcomeState:
    """An outcome counts for the state and the generation that it is of; with an older one, what
    the record holds is owed. What is deleted, and was not sent in this generation, is not there.
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
    values: dict[str, Any] = {
        "seq": outcome.sequence,
        "state": outcome.state.value,
        "messages": bounded(outcome.messages) or None,
        "unknownProjectKeys": bounded(outcome.unknown_project_keys) or None,
        "generation": outcome.generation,
        "ofDeletion": outcome.of_deletion or None,
        "at": datetime.now(UTC).isoformat(),
        # A deletion's own outcome ends its note; any other is kept only where there is none, or
        # one of an earlier generation.
        _DELETING: None,
    }
    against = {"generation": outcome.generation}
    pk = keys.outcomes(workspace_id, tenant_id)
    return Write(pk, keys.entity_sk(outcome.key), values, against=against)


def deletion_write(workspace_id: str, tenant_id: str, entry: Head, generation: int) -> Write:
    first = {
        "state": OutcomeState.OWED.value,
        "generation": generation,
        "at": datetime.now(UTC).isoformat(),
    }
    return Write(
        keys.outcomes(workspace_id, tenant_id),
        keys.entity_sk(entry.key),
        {"seq": entry.sequence, _DELETING: generation},
        at_first=first,
    )


def stored_outcome(item: Item) -> Outcome:
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


def is_overtaken(write: Write, there: Item) -> bool:
    """Whether the site was told to delete an older state than the one of the refused write."""
    return _DELETING in there and int(there["seq"]) < int(write.values["seq"])
