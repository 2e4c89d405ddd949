"""One state of one entity, as it travels through Relay once it has been found valid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pydantic_core

from relay.entities.model import Kind


class EntityKey(NamedTuple):
    """What names an entity within its workspace; an incident and a review may share an id."""

    kind: Kind
    id: str


@dataclass(frozen=True)
class EntityState:
    """`entity` is what Jira gets; `properties` and `product`, the operations tool's name or empty,
    are those of the submission it came in.

    `accepted_at`, in epoch milliseconds, is when the submission was answered 202, and
    `correlation_id` names it.
    """

    kind: Kind
    entity: Mapping[str, Any]
    properties: Mapping[str, str] = field(default_factory=dict)
    accepted_at: int = field(default=0, compare=False)
    correlation_id: str = field(default="", compare=False)
    product: str = ""

    @property
    def key(self) -> EntityKey:
        return EntityKey(self.kind, self.entity["id"])

    @cached_property
    def as_json(self) -> bytes:
        """The entity as it is recorded, queued and sent: written once, however often it is used."""
        return pydantic_core.to_json(self.entity)

    @property
    def sequence(self) -> int:
        return int(self.entity["updateSequenceNumber"])


@dataclass(frozen=True, slots=True)
class Sighting:
    """When an incident was first seen with this status and severity, as the entity itself dates
    it (`lastUpdated`)."""

    at: str
    status: str
    severity: str | None


def newest(states: Iterable[EntityState]) -> list[EntityState]:
    """The newest state per entity, in order of first appearance; of equal ones the first.

    Jira replaces what it has only by a higher `updateSequenceNumber`, so the first of equals is
    the one that would stay there, too.
    """
    kept: dict[EntityKey, EntityState] = {}
    for state in states:
        known = kept.get(state.key)
        if known is None or known.sequence < state.sequence:
            kept[state.key] = state
    return list(kept.values())
