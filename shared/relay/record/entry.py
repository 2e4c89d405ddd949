"""What the record holds of one entity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay.entities import EntityKey, EntityState, Sighting


@dataclass(frozen=True, slots=True)
class Entry:
    """`entity` is None once the entity is deleted, which `deleted_at` (epoch ms) then says."""

    key: EntityKey
    sequence: int
    recorded_at: str
    correlation_id: str | None
    entity: Mapping[str, Any] | None
    properties: Mapping[str, str]
    product: str
    timeline: tuple[Sighting, ...]
    deleted_at: int | None

    @property
    def state(self) -> EntityState | None:
        if self.entity is None:
            return None
        return EntityState(self.key.kind, self.entity, self.properties, product=self.product)
