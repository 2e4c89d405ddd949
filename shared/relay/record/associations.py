"""The associations that Jira's users make between entities and targets, such as issues.

| pk | sk | holds |
|---|---|---|
| `association#<tenantId>#<inc or rev>#<id>` | a hash of the target | the target |

They belong to the site: `<id>` is the entity's id at the site.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, product
from typing import TYPE_CHECKING

from relay import keys
from relay.aws import side_by_side
from relay.entities.association import Target
from relay.entities.model import EntityKey, Kind
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class AssociationStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def put(self, tenant_id: str, entity: EntityKey, target: Target) -> None:
        """Save the association; repeating is safe."""
        at = datetime.now(UTC).isoformat()
        self._table.put(_key(tenant_id, entity, target) | target.model_dump() | {"at": at})

    def delete(self, tenant_id: str, entity: EntityKey, target: Target) -> None:
        """Delete the association, if it exists."""
        key = _key(tenant_id, entity, target)
        self._table.write_all(deletes=[(key["pk"], key["sk"])])

    def of(self, tenant_id: str, entity: EntityKey, limit: int) -> Sequence[Target]:
        """At most `limit` of the entity's targets."""
        found = self._table.query(keys.associations(tenant_id, entity), limit=limit)
        return [Target.model_validate(item) for item in found]

    def delete_all(self, tenant_id: str, ids: Iterable[str]) -> int:
        """Delete all associations of the entities with these ids at the site; returns how many.

        Jira may not say the kind of an entity: its associations are then stored under both.
        """
        entities = {EntityKey(kind, one) for one, kind in product(ids, Kind)}
        pks = sorted(keys.associations(tenant_id, entity) for entity in entities)
        found = list(chain.from_iterable(side_by_side(self._places, pks)))
        self._table.write_all(deletes=found)
        return len(found)

    def _places(self, pk: str) -> list[keys.Key]:
        return [(pk, item["sk"]) for item in self._table.query(pk, attributes=("sk",))]


def _key(tenant_id: str, entity: EntityKey, target: Target) -> Item:
    named = target.ari or f"{target.ati} {target.cloudId} {target.id}"
    return {"pk": keys.associations(tenant_id, entity), "sk": keys.association_sk(named)}
