"""The accepted states, which the record and every linked site must have in the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from infra.chaos.large import IDS, LONGEST_ID, texts
from infra.chaos.tags import LARGE, PARTLY_KNOWN, UNKNOWN, tag_for, tag_of
from relay.entities.model import EntityKey, Kind

Document = dict[str, Any]

UNKNOWN_PROJECT = "NOPE"
# The property of the entities that are deleted together.
TEAM = {"team": "blue"}
# The length of the number with which an id starts.
_NUMBER = 5
# By how many positions a state may be submitted out of order.
_SCATTER = 60


@dataclass
class Known:
    """An entity of the run: `sequence` and `entity` are its newest accepted state.

    `waiting` is the number of its states that are not submitted yet.
    """

    workspace_id: str
    key: EntityKey
    properties: dict[str, str]
    sequence: int = 0
    entity: Document = field(default_factory=dict)
    deleted: bool = False
    waiting: int = 0

    @property
    def tag(self) -> str:
        """The tag in the entity's id."""
        return tag_of(self.key.id)

    @property
    def prefix(self) -> str:
        """The prefix of all of its summaries, which contains the workspace, unlike its id."""
        return f"{self.workspace_id}: {self.key.id[:_NUMBER]}, state "

    def state(self, sequence: int) -> Document:
        """Builds a state of the entity; its summary contains the sequence."""
        common = {
            "schemaVersion": "1.0",
            "id": self.key.id,
            "updateSequenceNumber": sequence,
            "summary": f"{self.prefix}{sequence}",
            "description": f"The description of state {sequence}. " * 4,
            "url": f"https://ops.example.com/{self.key.id[:_NUMBER]}",
            "createdDate": "2026-01-31T09:30:00Z",
            "lastUpdated": "2026-01-31T09:45:00Z",
        }
        if self.tag in (PARTLY_KNOWN, UNKNOWN):
            issues = [f"{UNKNOWN_PROJECT}-1"] + ["OPS-2"] * (self.tag == PARTLY_KNOWN)
            common["associations"] = [{"associationType": "issueIdOrKeys", "values": issues}]
        if self.tag == LARGE:
            values = texts(f"{self.prefix}{sequence}", (1 + sequence % 3) / 3)
            common["associations"] = [{"associationType": "serviceIdOrKeys", "values": values}]
        if self.key.kind is Kind.REVIEW:
            return common | {"reviews": ["inc-1"], "status": "in progress"}
        return common | {
            "affectedComponents": IDS if self.tag == LARGE else ["checkout-api"],
            "severity": {"level": "P2"},
            "status": "open",
        }

    def accepted(self, entity: Document) -> None:
        """Records that Relay accepted this state."""
        sequence = int(entity["updateSequenceNumber"])
        self.waiting -= 1
        if sequence > self.sequence:
            self.sequence, self.entity, self.deleted = sequence, entity, False


@dataclass
class Ledger:
    """The run's entities; `backlog` has the states to submit by workspace, the next one last."""

    known: dict[str, list[Known]]
    backlog: dict[str, list[tuple[Known, Document]]]
    submitted: int = 0

    @classmethod
    def drawn(cls, workspaces: list[str], entities: int, rng: Random) -> "Ledger":
        """Draws this many entities, spread evenly over the workspaces."""
        known: dict[str, list[Known]] = {workspace: [] for workspace in workspaces}
        backlog: dict[str, list[tuple[Known, Document]]] = {}
        for number in range(entities):
            workspace_id = workspaces[number % len(workspaces)]
            known[workspace_id] += _entities(workspace_id, number // len(workspaces))
        for workspace_id, ones in known.items():
            backlog[workspace_id] = _scattered(ones, rng)
        return cls(known, backlog)

    def revive(self, one: Known) -> None:
        """Queue a newer state of a deleted entity."""
        one.waiting += 1
        state = one.state(one.sequence + 1)
        self.backlog[one.workspace_id].append((one, state))

    @property
    def waiting(self) -> int:
        """The number of states that are not submitted yet."""
        return sum(len(states) for states in self.backlog.values())


def _entities(workspace_id: str, number: int) -> Iterator[Known]:
    properties = {"workspace": workspace_id} | (TEAM if number % 40 == 39 else {})
    tag = tag_for(number)
    padding = "\N{FIRE}" * (LONGEST_ID - _NUMBER - len(tag)) if number % 2000 == 38 else ""
    entity_id = f"{number:0{_NUMBER}}{padding}{tag}"
    kind = Kind.REVIEW if number % 20 == 9 else Kind.INCIDENT
    yield Known(workspace_id, EntityKey(kind, entity_id), properties)
    if number % 200 == 10:
        # An incident and a review with the same id.
        yield Known(workspace_id, EntityKey(Kind.REVIEW, entity_id), properties)


def _scattered(ones: list[Known], rng: Random) -> list[tuple[Known, Document]]:
    placed: list[tuple[float, int, Known, Document]] = []
    for number, one in enumerate(ones):
        first = rng.randrange(1, 1_000_000)
        one.waiting = rng.choices((1, 2, 3, 4), (5, 3, 1, 1))[0]
        for sequence in range(first, first + one.waiting):
            place = number + rng.random() * _SCATTER
            placed.append((place, len(placed), one, one.state(sequence)))
    return [(one, state) for _, _, one, state in sorted(placed, reverse=True)]
