"""The erasure of a site that has uninstalled the app: the same for a site as for a workspace.

First the tenant itself, with the pointer by which an install finds it: from then on no call is of
this site, and an install makes a new tenant. Once all that was under way has ended, what the tables
hold of the tenant is deleted.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from relay import keys
from relay.catalog.erasures import Erasure, ErasureStage, ErasureStore
from relay.entities.workspace_ids import WorkspaceIds
from relay.errors import Conflict
from relay.provider.erasing import WAIT_MS
from relay.record.associations import AssociationStore
from relay.record.store import RecordStore
from relay.table import Table, key, to_item
from relay.tenants.item import deletes_of
from relay.tenants.store import TENANT_ID, TenantStore
from relay.tenants.tenant import Tenant, TenantState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENTITIES_AT_ONCE = 100
_FOLLOWING = {
    ErasureStage.WAIT: ErasureStage.DELIVERIES,
    ErasureStage.DELIVERIES: ErasureStage.POINTERS,
    ErasureStage.POINTERS: ErasureStage.DONE,
}


class SiteForgetter:
    """Begins the erasure of sites; `table` is that of tenants. Raises TABLE_ERRORS."""

    def __init__(self, tenants: TenantStore, erasures: ErasureStore, table: str) -> None:
        self._tenants = tenants
        self._erasures = erasures
        self._table = table

    def forget(self, tenant_id: str, now: int) -> list[Erasure]:
        """Begin the erasure of the site, and of tenants that were merged into it; the site's is
        the first. `now` is in epoch milliseconds.

        Raises NotFound; Conflict if the site has the app, or was merged into another.
        """
        known = self.last(tenant_id)
        if known and known.stage is not ErasureStage.DONE:
            return [known]
        tenant = self._tenants.existing(tenant_id)
        if tenant.merged_into is not None:
            message = f"The site was merged into {tenant.merged_into}."
            raise Conflict(message, code="merged")
        if tenant.state is not TenantState.UNINSTALLED:
            raise Conflict("The site has the app. Uninstall it there first.", code="installed")
        merged = [one for one in self._tenants.all() if one.merged_into == tenant.id]
        # The site last: until then, repeating this finds the others.
        begun = [self._begin(one, now) for one in (*merged, tenant)]
        return begun[::-1]

    def last(self, tenant_id: str) -> Erasure | None:
        """The site's erasure that is under way, or that is done; None if there is none."""
        is_id = TENANT_ID.fullmatch(tenant_id)
        return self._erasures.last(keys.site_subject(tenant_id)) if is_id else None

    def _begin(self, tenant: Tenant, now: int) -> Erasure:
        stage, due = ErasureStage.WAIT, now + WAIT_MS
        erasure = Erasure(keys.site_subject(tenant.id), uuid4().hex, stage, now, now, due)
        return self._erasures.begin(erasure, deletes_of(tenant, self._table))


class SiteErasureStages:
    """Carries out the stages of sites' erasures. `tables` names those of tenants and the record.
    Raises TABLE_ERRORS; repeating is safe."""

    def __init__(self, dynamodb: "DynamoDBClient", tables: tuple[str, str]) -> None:
        self._dynamodb = dynamodb
        self._tenants, self._record = (Table(dynamodb, name) for name in tables)
        self._entities = RecordStore(dynamodb, self._record.name)
        self._associations = AssociationStore(dynamodb, self._record.name)

    def run(self, erasure: Erasure, now: int) -> Iterator[Erasure]:  # noqa: ARG002
        """Carry out the erasure's stage: yields the erasure after each part of it, to be saved. The
        last one is of the following stage."""
        tenant_id = keys.erased_site(erasure.subject)
        parts: Iterator[tuple[int, tuple[str, ...]]] = iter(())
        if erasure.stage is ErasureStage.DELIVERIES:
            parts = self._deliveries(tenant_id, erasure.cursor)
        elif erasure.stage is ErasureStage.POINTERS:
            parts = self._pointers(tenant_id, erasure.cursor)
        for deleted, cursor in parts:
            erasure = replace(erasure, deleted=erasure.deleted + deleted, cursor=cursor)
            yield erasure
        yield replace(erasure, stage=_FOLLOWING[erasure.stage], cursor=())

    def _deliveries(
        self, tenant_id: str, cursor: tuple[str, ...]
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Associations, outcomes and debts of each workspace that was ever linked to the site, and
        its link: yields the cursor, a workspace and the entity after which to continue."""
        found = [keys.replays(tenant_id), keys.links_of_tenant(tenant_id)]
        sks = [item["sk"] for one in found for item in self._tenants.query(*one)]
        for workspace_id in sorted(set(map(keys.workspace_id_of, sks))):
            after = cursor[1] if cursor and cursor[0] == workspace_id else ""
            for deleted, last in self._associated(tenant_id, workspace_id, after):
                yield deleted, (workspace_id, last)
            shards = (keys.outcomes, keys.debts)
            pks = [pk for of in shards for pk in of(workspace_id, tenant_id).pks]
            for pk in (*pks, keys.component_debts(workspace_id, tenant_id)):
                for deleted in self._record.delete_all(pk):
                    yield deleted, ()
            # Last: they are what leads to the others.
            last_ones = [
                keys.link_of_workspace(tenant_id, workspace_id),
                keys.link(tenant_id, workspace_id),
                keys.replay(tenant_id, workspace_id),
            ]
            self._tenants.write_all(deletes=last_ones)
            yield 1, ()

    def _associated(
        self, tenant_id: str, workspace_id: str, after: str
    ) -> Iterator[tuple[int, str]]:
        """What was associated with the workspace's entities, whose ids may have been plain."""
        item = self._tenants.get(*keys.key_of_workspace(workspace_id))
        known = item["key"] if item else ""
        ids = [WorkspaceIds(known, plain) for plain in (False, True) if known or plain]
        last = keys.entity_of(after) if after else None
        while heads := list(self._entities.heads(workspace_id, last, _ENTITIES_AT_ONCE)):
            at_site = [of.at_site(head.key.id) for of, head in product(ids, heads)]
            last = heads[-1].key
            yield self._associations.delete_all(tenant_id, at_site), keys.entity_sk(last)

    def _pointers(
        self, tenant_id: str, cursor: tuple[str, ...]
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The tenant's own items, and the pointers to it: a site may have had any number of URLs
        and installations, so this reads the whole table, once."""
        for deleted in self._tenants.delete_all(keys.tenant(tenant_id)):
            yield deleted, cursor
        condition, values = "tenantId = :id OR sk = :id", {":id": tenant_id}
        while True:
            found, cursor = self._tenants.scan(cursor, condition, values)
            for one in found:
                self._delete_pointer(one, tenant_id)
            yield len(found), cursor
            if not cursor:
                return

    def _delete_pointer(self, place: keys.Key, tenant_id: str) -> None:
        """Delete it, unless it is another tenant's since it was read."""
        request: Any = {
            "TableName": self._tenants.name,
            "Key": key(*place),
            "ConditionExpression": "attribute_not_exists(tenantId) OR tenantId = :id",
            "ExpressionAttributeValues": to_item({":id": tenant_id}),
        }
        try:
            self._dynamodb.delete_item(**request)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return
