"""Links between workspaces and sites, offers of links, and the workspaces' keys.

A link is written for its tenant and for its workspace, in one transaction. A workspace's key
distinguishes its ids at a site (see `relay.entities.workspace_ids`).

| pk | sk | holds |
|---|---|---|
| `tenant#<tenantId>` | `workspace#<workspaceId>` | the link |
| `workspace#<workspaceId>` | `tenant#<tenantId>` | the same link |
| `tenant#<tenantId>` | `offer#<workspaceId>` | an offer; no other attributes |
| `tenant#<tenantId>` | `plainIds` | the only workspace of a site with plain ids |
| `workspace#<workspaceId>` | `key` | the workspace's key, which never changes |
| `workspaceKey#<key>` | `workspace` | the workspace of this key, which makes it unique |
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.entities.workspace_ids import KEY_ALPHABET, KEY_CHARACTERS, WorkspaceIds
from relay.errors import Conflict, NotFound, Unavailable
from relay.table import Item, Table, back_off, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOT_THERE = "attribute_not_exists(pk)"
# The site has no other workspace with plain ids.
_BY_THIS = f"{_NOT_THERE} OR workspaceId = :workspaceId"
_ATTEMPTS = 8
_NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class Link:
    """`logo_url` is shown for containers without an avatar. `ids` are fixed when the link is made:
    a later change of the parameter `PlainIds` does not affect them."""

    tenant_id: str
    workspace_id: str
    ids: WorkspaceIds
    logo_url: str = ""


class LinkStore:
    """Every method raises TABLE_ERRORS.

    With `plain_ids`, new links send ids unchanged, and a site can be linked to one workspace only.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str, plain_ids: bool = False) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._plain_ids = plain_ids

    def link(
        self, tenant_id: str, workspace_id: str, logo_url: str = "", plain: bool | None = None
    ) -> None:
        """Link the two; if they are linked, change the logo only. Raises Conflict, and reads
        `plain`, as `check_free` does."""
        plain = self._plain_ids if plain is None else plain
        self.check_free(tenant_id, workspace_id, plain)
        known = self.get(tenant_id, workspace_id)
        ids = known.ids if known else WorkspaceIds(self._key_of(workspace_id), plain)
        values = to_item({"logoUrl": logo_url, "key": ids.key, "plain": ids.plain})
        writes = [
            self._put(key(*end) | values)
            for end in (
                keys.link(tenant_id, workspace_id),
                keys.link_of_workspace(tenant_id, workspace_id),
            )
        ]
        if ids.plain:
            marker = key(*keys.plain_ids(tenant_id)) | to_item({"workspaceId": workspace_id})
            values = to_item({":workspaceId": workspace_id})
            writes.append(self._put(marker, _BY_THIS, ExpressionAttributeValues=values))
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            if _failed_condition(error):
                raise _one_workspace(self._others(tenant_id, workspace_id)) from error
            raise

    def check_free(self, tenant_id: str, workspace_id: str, plain: bool | None = None) -> None:
        """Raises Conflict if the site can't be linked to this workspace because of plain ids: they
        do not identify the workspace. `plain` overrides the store's `plain_ids`, as for a link that
        replaces another."""
        plain = self._plain_ids if plain is None else plain
        others = self._others(tenant_id, workspace_id)
        if any(one.ids.plain for one in others) or (others and plain):
            raise _one_workspace(others)

    def _others(self, tenant_id: str, workspace_id: str) -> list[Link]:
        return [one for one in self.of_tenant(tenant_id) if one.workspace_id != workspace_id]

    def unlink(self, tenant_id: str, workspace_id: str) -> None:
        """Delete the link, if there is one."""
        link = self.get(tenant_id, workspace_id)
        writes = [
            self._delete(key(*end))
            for end in (
                keys.link(tenant_id, workspace_id),
                keys.link_of_workspace(tenant_id, workspace_id),
            )
        ]
        if link and link.ids.plain:
            marker = key(*keys.plain_ids(tenant_id))
            values = to_item({":workspaceId": workspace_id})
            writes.append(self._delete(marker, _BY_THIS, ExpressionAttributeValues=values))
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            # Another call unlinked this workspace and linked another since the link was read.
            if not _failed_condition(error):
                raise

    def get(self, tenant_id: str, workspace_id: str) -> Link | None:
        """The link; None if the two are not linked."""
        item = self._table.get(*keys.link(tenant_id, workspace_id))
        return _link(tenant_id, workspace_id, item) if item else None

    def of_tenant(self, tenant_id: str) -> list[Link]:
        """The tenant's links in the order of the workspaces' ids."""
        return [
            _link(tenant_id, keys.workspace_id_of(item["sk"]), item)
            for item in self._table.query(*keys.links_of_tenant(tenant_id))
        ]

    def of_workspace(self, workspace_id: str) -> list[Link]:
        """The workspace's links in the order of the tenants' ids."""
        return [
            _link(keys.tenant_id_of(item["sk"]), workspace_id, item)
            for item in self._table.query(*keys.links_of_workspace(workspace_id))
        ]

    def among(self, tenant_id: str, workspace_ids: Iterable[str]) -> list[str]:
        """The ids of those of these workspaces that are linked to the site, sorted."""
        wanted = [keys.link(tenant_id, workspace_id) for workspace_id in workspace_ids]
        found = self._table.get_all(wanted, attributes=("sk",))
        return sorted(keys.workspace_id_of(item["sk"]) for item in found)

    def sites_of(self, workspace_ids: Iterable[str]) -> list[str]:
        """The tenant ids of the sites that any of these workspaces is linked to, sorted."""
        return sorted(
            {
                keys.tenant_id_of(item["sk"])
                for workspace_id in workspace_ids
                for item in self._table.query(
                    *keys.links_of_workspace(workspace_id), attributes=("sk",)
                )
            }
        )

    def workspaces_of(self, tenant_id: str) -> list[str]:
        """The ids of the workspaces that are linked to the site, sorted."""
        return [link.workspace_id for link in self.of_tenant(tenant_id)]

    def offer(self, tenant_id: str, workspace_id: str) -> None:
        """Let the site's admin find the workspace in Jira; nothing is delivered."""
        pk, sk = keys.offer(tenant_id, workspace_id)
        self._table.put({"pk": pk, "sk": sk})

    def withdraw_offer(self, tenant_id: str, workspace_id: str) -> None:
        """Delete the offer, if there is one. A link is not affected."""
        self._table.write_all(deletes=[keys.offer(tenant_id, workspace_id)])

    def offers_to(self, tenant_id: str) -> list[str]:
        """The ids of the workspaces that are offered to the site, sorted."""
        offers = self._table.query(*keys.offers(tenant_id))
        return [keys.workspace_id_of(item["sk"]) for item in offers]

    def _key_of(self, workspace_id: str) -> str:
        """The workspace's key, created on first use. It outlives every link, so that no other
        workspace ever gets a key under which entities were sent."""
        place = keys.key_of_workspace(workspace_id)
        for attempt in range(_ATTEMPTS):
            item = self._table.get(*place)
            if item:
                return str(item["key"])
            new = "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_CHARACTERS))
            of_workspace = key(*place) | to_item({"key": new})
            of_key = key(*keys.workspace_key(new)) | to_item({"workspaceId": workspace_id})
            try:
                self._dynamodb.transact_write_items(
                    TransactItems=[
                        self._put(of_workspace, _NOT_THERE),
                        self._put(of_key, _NOT_THERE),
                    ]
                )
            except self._dynamodb.exceptions.TransactionCanceledException:
                # Another caller created the workspace's key, or, very rarely, this key exists.
                back_off(attempt)
            else:
                return new
        raise Unavailable("The workspace's key could not be created; try again.")

    def _put(self, item: Item, condition: str = "", **more: Any) -> Any:
        put = {"TableName": self._table.name, "Item": item, **more}
        return {"Put": put | ({"ConditionExpression": condition} if condition else {})}

    def _delete(self, item_key: Item, condition: str = "", **more: Any) -> Any:
        delete = {"TableName": self._table.name, "Key": item_key, **more}
        return {"Delete": delete | ({"ConditionExpression": condition} if condition else {})}


def unknown_link() -> NotFound:
    """The error for a workspace and a site that are not linked."""
    return NotFound("The workspace is not linked to the site.", code="unknown_link")


def _link(tenant_id: str, workspace_id: str, item: Item) -> Link:
    ids = WorkspaceIds(item["key"], item["plain"])
    return Link(tenant_id, workspace_id, ids, item["logoUrl"])


def _failed_condition(error: Any) -> bool:
    reasons = error.response.get("CancellationReasons", ())
    return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)


def _one_workspace(others: Sequence[Link]) -> Conflict:
    named = ", ".join(repr(one.workspace_id) for one in others[:_NAMED_MAX])
    if len(others) > _NAMED_MAX:
        named += f" and {len(others) - _NAMED_MAX} more"
    return Conflict(
        "With plain ids, a site can be linked to one workspace only. "
        f"Unlink {named or 'the other workspace'} first.",
        code="one_workspace",
    )
