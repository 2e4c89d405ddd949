"""What a site holds, eventually consistent as Jira is.

A change is accepted at once and seen later: "what is currently stored, ignoring any pending
updates or deletes" is what Jira's GET operations promise to answer.
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
    entity: dict[str, Any]
    properties: dict[str, str]
    product: str = ""

    @property
    def sequence(self) -> int:
        return int(self.entity["updateSequenceNumber"])

    def matches(self, properties: list[tuple[str, str]]) -> bool:
        return all(self.properties.get(key) == value for key, value in properties)


@dataclass(frozen=True)
class _Change(Generic[V]):
    accepted_at: float
    key: str
    value: V | None


class EventualMap(Generic[V]):
    """Values by id: `latest` as accepted, `visible` as readers may see it.

    A change becomes visible `settings.visible_after_seconds` after it was accepted, in the order
    of acceptance; a change of the setting holds for what waits, too.
    """

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._latest: dict[str, V] = {}
        self._visible: dict[str, V] = {}
        self._pending: deque[_Change[V]] = deque()

    @property
    def latest(self) -> Mapping[str, V]:
        return self._latest

    @property
    def visible(self) -> Mapping[str, V]:
        self._settle()
        return self._visible

    @property
    def pending(self) -> int:
        """How many accepted changes nobody can see yet."""
        self._settle()
        return len(self._pending)

    def put(self, key: str, value: V) -> None:
        self._latest[key] = value
        self._accept(key, value)

    def remove(self, key: str) -> None:
        """Idempotent: an unknown key changes nothing."""
        if self._latest.pop(key, None) is not None:
            self._accept(key, None)

    def forget(self) -> None:
        """Drop everything at once, pending changes too."""
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

    Of every entity the highest sequence is kept, and of a deleted one as the settings want it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sequences: dict[Kind, dict[str, int]] = {kind: {} for kind in Kind}
        self.entities: dict[Kind, EventualMap[StoredEntity]] = {
            kind: EventualMap(settings) for kind in Kind
        }
        self.workspaces: EventualMap[str] = EventualMap(settings)

    def submit(self, kind: Kind, submitted: StoredEntity) -> None:
        """Keep what is newer than the latest accepted; an equal sequence is not newer."""
        entity_id = submitted.entity["id"]
        highest = self._sequences[kind].get(entity_id)
        if highest is None or highest < submitted.sequence:
            self._sequences[kind][entity_id] = submitted.sequence
            self.entities[kind].put(entity_id, submitted)

    def delete(self, kind: Kind, entity_id: str) -> None:
        """Idempotent: an unknown id changes nothing."""
        held = entity_id in self.entities[kind].latest
        self.entities[kind].remove(entity_id)
        if held and not self._remembers:
            self._sequences[kind].pop(entity_id, None)

    def delete_by_properties(
        self, kinds: Iterable[Kind], properties: list[tuple[str, str]]
    ) -> None:
        for kind in kinds:
            latest = self.entities[kind].latest
            for key in [key for key, held in latest.items() if held.matches(properties)]:
                self.delete(kind, key)

    def forget(self, keep_sequences: bool | None = None) -> None:
        """Drop all entities and links; None keeps their sequences as the settings want it."""
        for entities in self.entities.values():
            entities.forget()
        self.workspaces.forget()
        if not (self._remembers if keep_sequences is None else keep_sequences):
            for sequences in self._sequences.values():
                sequences.clear()

    @property
    def _remembers(self) -> bool:
        return self._settings.sequences_after_deletion == REMEMBERED
