"""Which workspace a site's entity belongs to: by its id, its properties and its content."""

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
    """An entity as a site holds it."""

    kind: Kind
    entity: Document
    properties: Document

    @property
    def site_key(self) -> EntityKey:
        return EntityKey(self.kind, self.entity["id"])

    @property
    def workspace_key(self) -> str:
        return str(self.entity["id"]).partition(".")[0]

    @property
    def own_key(self) -> EntityKey:
        return EntityKey(self.kind, str(self.entity["id"]).partition(".")[2])


def why_foreign(held: Held, known: Mapping[EntityKey, Known] | None) -> str:
    """Why the site should not hold the entity as it is; empty if it should.

    `known` are the entities of the linked workspace with the key in its id.
    """
    if known is None:
        return "of a workspace that is not linked"
    one = known.get(held.own_key)
    if one is None:
        return "its workspace never had it"
    if held.properties != one.properties | {WORKSPACE_PROPERTY: held.workspace_key}:
        return "with another workspace's properties"
    if not held.entity["summary"].startswith(one.begins):
        return "with another workspace's content"
    ids = [named for name in _LISTS for named in held.entity.get(name, ())]
    if not all(named.startswith(f"{held.workspace_key}.") for named in ids):
        return "it names what is another workspace's"
    return ""
