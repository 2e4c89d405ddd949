"""Associations of entities with Jira's issues and other targets, as Jira reports them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from relay.catalog.webhooks import WebhookStore
from relay.entities.association import AssociationChange
from relay.entities.model import EntityKey, Kind
from relay.queues.notices import Event, Notice
from relay.record.associations import AssociationStore
from relay.record.store import RecordStore
from relay.tenants.links import LinkStore
from relay.tenants.tenant import Tenant


class Associations:
    """Stores associations and builds the workspaces' notices about them.

    Every method raises Unavailable, or an AWS error; repeating is safe.
    """

    def __init__(
        self,
        links: LinkStore,
        record: RecordStore,
        associations: AssociationStore,
        webhooks: WebhookStore,
    ) -> None:
        self._links = links
        self._record = record
        self._associations = associations
        self._webhooks = webhooks

    def associate(self, tenant: Tenant, change: AssociationChange) -> list[Notice]:
        """Store an association; returns the notices for workspaces that have a webhook.

        It is also stored if the workspace has not recorded the entity yet, because a submission may
        be on its way. It is ignored if the id belongs to no linked workspace.
        """
        workspaces = self._workspaces_of(tenant, change)
        owners = self._owners(workspaces, change)
        kinds = {entity.kind for _, entity in owners} or _possible_kinds(change)
        if workspaces:
            for kind in kinds:
                entity = EntityKey(kind, change.entity_id)
                self._associations.put(tenant.id, entity, change.target)
        return self._notices("entity.associated", tenant, change, owners)

    def disassociate(self, tenant: Tenant, change: AssociationChange) -> list[Notice]:
        """Remove an association, which may be unknown; returns the notices as `associate` does."""
        owners = self._owners(self._workspaces_of(tenant, change), change)
        # For both kinds: it may have been stored before the entity was recorded.
        for kind in _possible_kinds(change):
            entity = EntityKey(kind, change.entity_id)
            self._associations.delete(tenant.id, entity, change.target)
        return self._notices("entity.disassociated", tenant, change, owners)

    def _owners(
        self, workspaces: Iterable[tuple[str, str]], change: AssociationChange
    ) -> list[tuple[str, EntityKey]]:
        """The workspaces that have recorded the entity, with the entity's key there."""
        return [
            (workspace_id, entry.key)
            for workspace_id, own_id in workspaces
            for entry in self._record.get_all(
                workspace_id, {EntityKey(kind, own_id) for kind in _possible_kinds(change)}
            )
        ]

    def _workspaces_of(self, tenant: Tenant, change: AssociationChange) -> list[tuple[str, str]]:
        """The linked workspace that the entity's id belongs to, and its own id; at most one."""
        return [
            (link.workspace_id, own_id)
            for link in self._links.of_tenant(tenant.id)
            if (own_id := link.ids.own(change.entity_id)) is not None
        ]

    def _notices(
        self,
        event: Event,
        tenant: Tenant,
        change: AssociationChange,
        owners: Iterable[tuple[str, EntityKey]],
    ) -> list[Notice]:
        at = datetime.now(UTC).isoformat()
        return [
            Notice(uuid4().hex, workspace_id, event, at, _data(tenant, entity, change))
            for workspace_id, entity in owners
            if self._webhooks.url_of(workspace_id)
        ]


def _possible_kinds(change: AssociationChange) -> set[Kind]:
    """The change's kind, or both kinds if Jira does not name it."""
    return {change.kind} if change.kind else set(Kind)


def _data(tenant: Tenant, entity: EntityKey, change: AssociationChange) -> dict[str, Any]:
    return {
        "kind": entity.kind.value,
        "id": entity.id,
        "site": {"id": tenant.id, "baseUrl": tenant.base_url},
        "target": change.target.model_dump(exclude_defaults=True),
    }
