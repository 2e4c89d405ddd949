"""Deleting all that the tables hold of a workspace.

Each method yields the number of items it has deleted after each batch. It can be cut off anywhere
and called again: it then finds what is left.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from relay import keys
from relay.catalog.erasures import ErasedSite
from relay.entities.workspace_ids import WorkspaceIds
from relay.identity.api_keys import ApiKeys
from relay.record.associations import AssociationStore
from relay.record.retention import RetentionStore
from relay.table import Table
from relay.tenants.links import LinkStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The associations of as many entities are looked for at once, at each site.
_ENTITIES_AT_ONCE = 100


class WorkspaceData:
    """What the tables hold of workspaces; `tables` names those of tenants, the catalog and the
    record. Every method raises TABLE_ERRORS."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        tables: tuple[str, str, str],
        links: LinkStore,
        api_keys: ApiKeys,
    ) -> None:
        self._tenants, self._catalog, self._record = (Table(dynamodb, name) for name in tables)
        self._associations = AssociationStore(dynamodb, self._record.name)
        self._retention = RetentionStore(dynamodb, self._record.name)
        self._links = links
        self._api_keys = api_keys

    def entities(self, workspace_id: str, sites: Sequence[ErasedSite]) -> Iterator[int]:
        """The record, and what Jira's users associated with its entities.

        `sites` are those that the workspace was linked to until now.
        """
        ids = self._ids_at_sites(workspace_id, sites)
        for pk in keys.entities(workspace_id).pks:
            while sks := self._first(pk):
                own = [keys.entity_of(sk).id for sk in sks]
                associated = sum(
                    self._associations.delete_all(tenant_id, map(of.at_site, own))
                    for tenant_id, of in ids
                )
                self._record.write_all(deletes=[(pk, sk) for sk in sks])
                yield associated + len(sks)
        self._retention.leave(workspace_id)

    def deliveries(self, workspace_id: str) -> Iterator[int]:
        """Outcomes, debts and replays at every site that the workspace was ever linked to, offers
        and receipts."""
        yield from self._record.delete_all(keys.receipts(workspace_id))
        tenant_ids = self._tenant_ids()
        for tenant_id in self._ever_linked(workspace_id, tenant_ids):
            shards = (keys.outcomes, keys.debts)
            pks = [pk for of in shards for pk in of(workspace_id, tenant_id).pks]
            for pk in (*pks, keys.component_debts(workspace_id, tenant_id)):
                yield from self._record.delete_all(pk)
            # Last: it is what leads to the others.
            self._tenants.write_all(deletes=[keys.replay(tenant_id, workspace_id)])
            yield 1
        offers = [keys.offer(tenant_id, workspace_id) for tenant_id in tenant_ids]
        self._tenants.write_all(deletes=offers)

    def sources(
        self, workspace_id: str, cursor: tuple[str, ...]
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Addresses, alarms and deliveries of sources: yields the cursor of the rest, too.

        A source that was deleted, or never finished, leaves items that no key leads to. So this
        reads the whole catalog, once.
        """
        alarms, deliveries = keys.of_sources(workspace_id)
        values = {":workspace": workspace_id, ":alarms": alarms, ":deliveries": deliveries}
        condition = (
            "workspaceId = :workspace OR begins_with(pk, :alarms) OR begins_with(pk, :deliveries)"
        )
        while True:
            found, cursor = self._catalog.scan(cursor, condition, values)
            self._catalog.write_all(deletes=found)
            yield len(found), cursor
            if not cursor:
                return

    def catalog(self, workspace_id: str) -> Iterator[int]:
        """Containers with their index, sources, the webhook, keys, and the workspace's key. Only
        the erasure is left."""
        for pk in (
            keys.containers(workspace_id),
            keys.container_names(workspace_id),
            keys.containers_by_date(workspace_id),
        ):
            yield from self._catalog.delete_all(pk)
        yield from self._catalog.delete_all(*keys.refusing_sources(workspace_id))
        yield from self._catalog.delete_all(*keys.sources(workspace_id))
        listed = (keys.WORKSPACES, workspace_id)
        self._catalog.write_all(deletes=[keys.webhook(workspace_id), listed])
        yield self._api_keys.forget(workspace_id)
        key = self._key_of(workspace_id)
        if key:
            self._tenants.write_all(deletes=[keys.workspace_key(key)])
            # After it, as nothing else leads to it.
            yield from self._tenants.delete_all(keys.workspace(workspace_id))

    def _first(self, pk: str) -> list[str]:
        found = self._record.query(pk, limit=_ENTITIES_AT_ONCE, attributes=("sk",))
        return [item["sk"] for item in found]

    def _ids_at_sites(
        self, workspace_id: str, sites: Sequence[ErasedSite]
    ) -> list[tuple[str, WorkspaceIds]]:
        """The workspace's ids at every site that it was ever linked to.

        Nothing tells whether they were plain at a site that it was unlinked from before. They are
        taken to be both, unless they can be another workspace's: a plain one has none beside it.
        """
        known = {site.tenant_id: site.ids for site in sites}
        found = list(known.items())
        key = self._key_of(workspace_id)
        for tenant_id in self._ever_linked(workspace_id, self._tenant_ids()):
            if key and tenant_id not in known:
                found.append((tenant_id, WorkspaceIds(key)))
                if not any(link.ids.plain for link in self._links.of_tenant(tenant_id)):
                    found.append((tenant_id, WorkspaceIds(key, plain=True)))
        return found

    def _key_of(self, workspace_id: str) -> str:
        item = self._tenants.get(*keys.key_of_workspace(workspace_id))
        return item["key"] if item else ""

    def _tenant_ids(self) -> list[str]:
        """All tenants, those included that are just being erased."""
        listed = [item["sk"] for item in self._tenants.query(keys.TENANTS)]
        leaving = [keys.erased_site(item["sk"]) for item in self._catalog.query(keys.ERASURES)]
        return [*listed, *filter(None, leaving)]

    def _ever_linked(self, workspace_id: str, tenant_ids: Sequence[str]) -> list[str]:
        """The tenants with a replay: it starts before its link is written, and outlives it."""
        places = [keys.replay(tenant_id, workspace_id) for tenant_id in tenant_ids]
        found = self._tenants.get_all(places, ("pk",))
        return sorted(keys.tenant_id_of(item["pk"]) for item in found)
