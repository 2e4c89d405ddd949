"""A site's data, eventually consistent as in Jira.

A change is accepted immediately and becomes visible later: Jira's GET operations return "what is
currently stored, ignoring any pending updates or deletes".
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .schemas import Kind
from .settings import REMEMBERED, Settings

V = TypeVar("V")
Clock = Callable[[], float]


@dataclass(frozen=True)
class StoredEntity:
    """One accepted state of an entity, with its submission's properties and product."""

    entity: dict[str, Any]
    properties: dict[str, str]
    product: str = ""

    @property
    def sequence(self) -> int:
        """The state's `updateSequenceNumber`."""
        return int(self.entity["updateSequenceNumber"])

    def matches(self, properties: list[tuple[str, str]]) -> bool:
        """Whether the entity has all of these properties."""
        return all(self.properties.get(key) == value for key, value in properties)


@dataclass(frozen=True)
class _Change(Generic[V]):
    accepted_at: float
    key: str
    value: V | None


class EventualMap(Generic[V]):
    """Values by id: `latest` includes every accepted change, `visible` only the visible ones.

    A change becomes visible `settings.visible_after_seconds` after it was accepted, in the order
    of acceptance. A new value of the setting also applies to pending changes.
    """

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._latest: dict[str, V] = {}
        self._visible: dict[str, V] = {}
        self._pending: deque[_Change[V]] = deque()

    @property
    def latest(self) -> Mapping[str, V]:
        """Every accepted value, visible or not."""
        return self._latest

    @property
    def visible(self) -> Mapping[str, V]:
        """The values that readers see now."""
        self._settle()
        return self._visible

    @property
    def pending(self) -> int:
        """The number of accepted changes that are not visible yet."""
        self._settle()
        return len(self._pending)

    def put(self, key: str, value: V) -> None:
        """Accepts a value, which becomes visible later."""
        self._latest[key] = value
        self._accept(key, value)

    def remove(self, key: str) -> None:
        """Idempotent: an unknown key changes nothing."""
        if self._latest.pop(key, None) is not None:
            self._accept(key, None)

    def forget(self) -> None:
        """Deletes everything immediately, pending changes included."""
        self._latest.clear()
        self._visible.clear()
        self._pending.clear()

    def _accept(self, key: str, value: V | None) -> None:
        self._pending.append(_Change(self._clock(), key, value))
        self._settle()

    def _settle(self) -> None:
        due = self._clock() - self._settings.visible_after_seconds
        while self._pending and self._pending[0].accepted_at <= due:
            change = self._pending.popleft()
            if change.value is None:
                self._visible.pop(change.key, None)
            else:
                self._visible[change.key] = change.value


class Store:
    """Entities by kind, and the linked workspaces of one site.

    The highest sequence of every entity is stored. That of a deleted one depends on the settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sequences: dict[Kind, dict[str, int]] = {kind: {} for kind in Kind}
        # When the newest state of each incident was accepted, in epoch seconds, by id.
        self.accepted_at: dict[str, float] = {}
        self.entities: dict[Kind, EventualMap[StoredEntity]] = {
            kind: EventualMap(settings) for kind in Kind
        }
        self.workspaces: EventualMap[str] = EventualMap(settings)

    def submit(self, kind: Kind, submitted: StoredEntity) -> None:
        """Stores a state if its sequence is greater than the highest one so far."""
        entity_id = submitted.entity["id"]
        highest = self._sequences[kind].get(entity_id)
        if highest is None or highest < submitted.sequence:
            self._sequences[kind][entity_id] = submitted.sequence
            self.entities[kind].put(entity_id, submitted)
            if kind is Kind.INCIDENT:
                self.accepted_at[entity_id] = time.time()

    def delete(self, kind: Kind, entity_id: str) -> None:
        """Idempotent: an unknown id changes nothing."""
        held = entity_id in self.entities[kind].latest
        self.entities[kind].remove(entity_id)
        if held and not self._remembers:
            self._sequences[kind].pop(entity_id, None)

    def delete_by_properties(
        self, kinds: Iterable[Kind], properties: list[tuple[str, str]]
    ) -> None:
        """Deletes the entities of these kinds that have all of the properties."""
        for kind in kinds:
            latest = self.entities[kind].latest
            for key in [key for key, held in latest.items() if held.matches(properties)]:
                self.delete(kind, key)

    def forget(self, keep_sequences: bool | None = None) -> None:
        """Deletes all entities and links; with None, the settings decide about their sequences."""
        for entities in self.entities.values():
            entities.forget()
        self.accepted_at.clear()
        self.workspaces.forget()
        if not (self._remembers if keep_sequences is None else keep_sequences):
            for sequences in self._sequences.values():
                sequences.clear()

    @property
    def _remembers(self) -> bool:
        return self._settings.sequences_after_deletion == REMEMBERED
