"""What the record holds of one entity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay.entities import EntityKey, EntityState, Sighting


@dataclass(frozen=True, slots=True)
class Head:
    """An entry without the entity, which may have 350 KB: many of these fit into memory.

    `deleted_at` (epoch milliseconds) is None unless the entity is deleted."""

    key: EntityKey
    sequence: int
    recorded_at: str
    deleted_at: int | None
    properties: Mapping[str, str]

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


@dataclass(frozen=True, slots=True)
class Entry(Head):
    """`entity` is None once the entity is deleted; `size` is the bytes of its JSON."""

    correlation_id: str | None
    entity: Mapping[str, Any] | None
    product: str
    timeline: tuple[Sighting, ...]
    size: int

    @property
    def state(self) -> EntityState | None:
        if self.entity is None:
            return None
        return EntityState(self.key.kind, self.entity, self.properties, product=self.product)
