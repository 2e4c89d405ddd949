"""Checks an entity's workspace at a site: by its id, its properties and its content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.chaos.ledger import Known
from relay.entities.model import EntityKey, Kind
from relay.entities.workspace_ids import WORKSPACE_PROPERTY

Document = dict[str, Any]
_LISTS = ("affectedComponents", "reviews")


@dataclass(frozen=True)
class Held:
    """An entity as stored at a site."""

    kind: Kind
    entity: Document
    properties: Document

    @property
    def site_key(self) -> EntityKey:
        """The entity's key at the site."""
        return EntityKey(self.kind, self.entity["id"])

    @property
    def workspace_key(self) -> str:
        """The workspace key in front of the id."""
        return str(self.entity["id"]).partition(".")[0]

    @property
    def own_key(self) -> EntityKey:
        """The entity's key in its workspace."""
        return EntityKey(self.kind, str(self.entity["id"]).partition(".")[2])


def why_foreign(held: Held, known: Mapping[EntityKey, Known] | None) -> str:
    """The reason why the entity should not be at the site; empty if it should.

    `known` are the entities of the linked workspace whose key is in the id; None if there is none.
    """
    if known is None:
        return "of a workspace that is not linked"
    one = known.get(held.own_key)
    if one is None:
        return "its workspace never had it"
    if held.properties != one.properties | {WORKSPACE_PROPERTY: held.workspace_key}:
        return "with another workspace's properties"
    if not held.entity["summary"].startswith(one.prefix):
        return "with another workspace's content"
    ids = [named for name in _LISTS for named in held.entity.get(name, ())]
    if not all(named.startswith(f"{held.workspace_key}.") for named in ids):
        return "it names entities of another workspace"
    return ""
