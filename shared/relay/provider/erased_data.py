"""Deleting all that the tables hold of a workspace or of a site.

What no key leads to is found by reading a table once: former links, deleted sources, associations
with entities that were never recorded. Each generator yields, after each batch, how many items it
has deleted, and the cursor of the rest. It can be cut off anywhere and called again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from relay import keys
from relay.catalog.erasure import Erasure, ErasureStage
from relay.identity.api_keys import ApiKeys
from relay.record.retention import RetentionStore
from relay.table import Item, Table, key, to_item
from relay.tenants.generation_minimum import GenerationMinimum
from relay.tenants.links import LinkStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Cursor = tuple[str, ...]
Parts = Iterator[tuple[int, Cursor]]
# Whether ids at a site begin with the workspace's key.
_Ids = Literal["keyed", "plain", "unknown"]


class ErasedData:
    """What the tables hold; `tables` names those of tenants, the catalog and the record. Every
    method raises TABLE_ERRORS."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        tables: tuple[str, str, str],
        links: LinkStore,
        api_keys: ApiKeys,
    ) -> None:
        self._dynamodb = dynamodb
        self._tenants, self._catalog, self._record = (Table(dynamodb, name) for name in tables)
        self._retention = RetentionStore(dynamodb, self._record.name)
        self._minimum = GenerationMinimum(dynamodb, self._tenants.name)
        self._links = links
        self._api_keys = api_keys

    def deleted(self, erasure: Erasure) -> Parts:
        """Delete what the erasure's stage deletes from the tables, from its cursor on."""
        tenant_id = keys.erased_site(erasure.subject)
        match erasure.stage:
            case ErasureStage.OUTCOMES if tenant_id:
                return self._outcomes_of_site(tenant_id, erasure.cursor)
            case ErasureStage.LINKS if tenant_id:
                return self._site(tenant_id, erasure.cursor)
            case ErasureStage.OUTCOMES:
                return self._outcomes(erasure)
            case ErasureStage.RECORD:
                return self._entities(erasure.subject)
            case ErasureStage.LINKS:
                return self._links_of(erasure.subject, erasure.cursor)
            case _:
                return self._catalog_of(erasure.subject, erasure.cursor)

    # --- Of a workspace ---

    def _outcomes(self, erasure: Erasure) -> Parts:
        """Outcomes, debts, and what Jira's users have associated with its entities."""
        values = {
            ":outcomes": keys.outcomes_of(erasure.subject),
            ":debts": keys.debts_of(erasure.subject),
            ":associations": keys.ASSOCIATIONS,
        }
        condition = " OR ".join(f"begins_with(pk, {prefix})" for prefix in values)
        associations = _OwnAssociations(erasure, self._tenants, self._record, self._links)
        return self._delete_found(
            self._record, erasure.cursor, condition, values, associations.select
        )

    def _entities(self, workspace_id: str) -> Parts:
        """The record, and its receipts. Their keys are known, so nothing else is read."""
        for pk in (*keys.entities(workspace_id).pks, keys.receipts(workspace_id)):
            for deleted in self._record.delete_all(pk):
                yield deleted, ()
        self._retention.restart_pass_in(workspace_id)

    def _links_of(self, workspace_id: str, cursor: Cursor) -> Parts:
        """Links, offers and replays, and the workspace's key."""
        condition = "pk = :pk OR sk = :pk OR sk = :offer OR sk = :replay OR workspaceId = :id"
        values = {
            ":pk": keys.workspace(workspace_id),
            ":offer": keys.offer("", workspace_id)[1],
            ":replay": keys.replay("", workspace_id)[1],
            ":id": workspace_id,
        }

        def own(found: Sequence[Item]) -> Sequence[Item]:
            for item in found:
                if "resets" in item:
                    # The site may have the sequences of entities whose ids return: plain ones.
                    tenant_id = keys.tenant_id_of(item["pk"])
                    self._minimum.raise_resets_min(tenant_id, int(item["resets"]) + 1)
            return found

        return self._delete_found(self._tenants, cursor, condition, values, own, ("resets",))

    def _catalog_of(self, workspace_id: str, cursor: Cursor) -> Parts:
        """Containers with their index, the webhook, and sources with all that they leave; then the
        API keys. Only the erasure is left."""
        alarms, deliveries = keys.of_sources(workspace_id)
        values = {
            ":workspace": workspace_id,
            ":pk": keys.workspace(workspace_id),
            ":containers": keys.containers(workspace_id),
            ":names": keys.container_names(workspace_id),
            ":dates": keys.containers_by_date(workspace_id),
            ":alarms": alarms,
            ":deliveries": deliveries,
            ":list": keys.WORKSPACES,
            ":refusing": keys.REFUSING_SOURCES,
            ":source": keys.refusing_sources(workspace_id)[1],
        }
        condition = (
            "workspaceId = :workspace OR pk IN (:pk, :containers, :names, :dates)"
            " OR begins_with(pk, :alarms) OR begins_with(pk, :deliveries)"
            " OR (pk = :list AND sk = :workspace)"
            " OR (pk = :refusing AND begins_with(sk, :source))"
        )
        erasure = keys.erasure(workspace_id)

        def own(found: Sequence[Item]) -> Sequence[Item]:
            return [item for item in found if (item["pk"], item["sk"]) != erasure]

        yield from self._delete_found(self._catalog, cursor, condition, values, own)
        yield self._api_keys.forget(workspace_id), ()

    # --- Of a site ---

    def _outcomes_of_site(self, tenant_id: str, cursor: Cursor) -> Parts:
        """Associations, outcomes and debts of every workspace that was ever linked to the site."""
        values = {":associations": keys.associations_at(tenant_id), ":site": f"#{tenant_id}"}
        values |= {":outcomes": keys.OUTCOMES, ":debts": keys.DEBTS}
        condition = (
            "begins_with(pk, :associations) OR (contains(pk, :site)"
            " AND (begins_with(pk, :outcomes) OR begins_with(pk, :debts)))"
        )
        return self._delete_found(self._record, cursor, condition, values)

    def _site(self, tenant_id: str, cursor: Cursor) -> Parts:
        """The tenant's own items, its links, and the pointers to it: a site may have had any number
        of URLs and installations."""
        condition = "pk = :pk OR sk = :pk OR sk = :id OR tenantId = :id"
        values = {":pk": keys.tenant(tenant_id), ":id": tenant_id}

        def own(found: Sequence[Item]) -> Sequence[Item]:
            rest = [item for item in found if "tenantId" not in item]
            for item in found:
                if "tenantId" in item:
                    # Not together with the rest, without condition: an install may write it again.
                    self._delete_pointer(item, tenant_id)
            return rest

        return self._delete_found(self._tenants, cursor, condition, values, own, ("tenantId",))

    def _delete_pointer(self, pointer: Item, tenant_id: str) -> None:
        """Delete it, unless it is another tenant's since it was read."""
        request: Any = {
            "TableName": self._tenants.name,
            "Key": key(pointer["pk"], pointer["sk"]),
            "ConditionExpression": "tenantId = :id",
            "ExpressionAttributeValues": to_item({":id": tenant_id}),
        }
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.delete_item(**request)

    # --- Both ---

    def _delete_found(
        self,
        table: Table,
        cursor: Cursor,
        condition: str,
        values: Item,
        own: Callable[[Sequence[Item]], Sequence[Item]] = lambda found: found,
        attributes: Sequence[str] = (),
    ) -> Parts:
        """Delete what the condition finds in the whole table, and `own` selects from it."""
        while True:
            found, cursor = table.scan(cursor, condition, values, attributes)
            mine = own(found)
            table.write_all(deletes=[(item["pk"], item["sk"]) for item in mine])
            yield len(mine), cursor
            if not cursor:
                return


class _OwnAssociations:
    """Separates associations with the erased workspace's entities from those with another's.

    Usually the id at the site begins with the workspace's key. If ids were plain when the erasure
    began, the site had no other workspace: every association without another's key is this one's.
    If another has been linked since, or if the workspace was unlinked before, so that it is unknown
    whether its ids were plain, an association is this one's if the record has the entity.
    """

    def __init__(self, erasure: Erasure, tenants: Table, record: Table, links: LinkStore) -> None:
        self._erasure = erasure
        self._tenants, self._record = tenants, record
        self._links = links
        item = tenants.get(*keys.key_of_workspace(erasure.subject))
        self._key = item["key"] if item else ""
        self._ids: dict[str, _Ids] = {}

    def select(self, found: Sequence[Item]) -> Sequence[Item]:
        """These items without the associations of other workspaces."""
        return [item for item in found if self._is_own(item["pk"])]

    def _is_own(self, pk: str) -> bool:
        if not keys.is_association(pk):
            return True
        tenant_id, entity = keys.associated(pk)
        key, separator, _ = entity.id.partition(".")
        if separator and key and key == self._key:
            return True
        match self._ids_at(tenant_id):
            case "plain":
                return self._tenants.get(*keys.workspace_key(key)) is None
            case "unknown":
                place = keys.entities(self._erasure.subject).key_of(entity)
                return self._record.get(*place) is not None
        return False

    def _ids_at(self, tenant_id: str) -> _Ids:
        if tenant_id not in self._ids:
            self._ids[tenant_id] = self._read_ids_at(tenant_id)
        return self._ids[tenant_id]

    def _read_ids_at(self, tenant_id: str) -> _Ids:
        links = self._links.of_tenant(tenant_id)
        for site in self._erasure.sites:
            if site.tenant_id == tenant_id:
                if not site.ids.plain:
                    return "keyed"
                return "unknown" if links else "plain"
        was_linked = self._tenants.get(*keys.replay(tenant_id, self._erasure.subject))
        return "unknown" if was_linked and not any(link.ids.plain for link in links) else "keyed"
