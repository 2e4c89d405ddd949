"""The catalog's workspaces.

| pk | sk | holds |
|---|---|---|
| `workspace#<workspaceId>` | `workspace` | the workspace |
| `workspace#<workspaceId>` | `webhook` | the workspace's webhook (see `webhooks`) |
| `workspaces` | `<workspaceId>` | the list of all workspaces; no other attributes |

While a workspace is erased, its item is that of the erasure (see `erasures`).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from relay import keys
from relay.catalog.erasure import ERASING
from relay.entities.fields import WORKSPACE_ID_PATTERN, Document, Summary, Url
from relay.errors import Conflict, NotFound
from relay.table import Item, Table, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class WorkspaceDocument(Document):
    """A workspace as the operations tool describes it. Jira shows it for linking."""

    name: Annotated[Summary, Field(min_length=1)]
    """The name that users see in Jira."""
    url: Url
    """The workspace's page in the operations tool."""
    avatarUrl: Url | None = None
    """An image for the workspace; without one, Jira shows the app's logo."""


class Workspace(WorkspaceDocument):
    """A workspace of the operations tool."""

    id: str
    """The operations tool's own id, as used in paths."""


class WorkspaceStore:
    """Every method raises TABLE_ERRORS, and for one workspace Conflict while it is being erased."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def put(self, workspace_id: str, document: WorkspaceDocument) -> Workspace:
        """Save the workspace in place of an existing one, and return it."""
        values = document.model_dump(exclude_none=True)
        pk, sk = keys.workspace_item(workspace_id)
        self._write(
            {"Put": {"Item": to_item({"pk": pk, "sk": sk} | values)}},
            {"Put": {"Item": key(keys.WORKSPACES, workspace_id)}},
        )
        return Workspace(id=workspace_id, **values)

    def get(self, workspace_id: str) -> Workspace:
        """The workspace. Raises NotFound."""
        return _workspace(
            _existing(self._table.get(*keys.workspace_item(workspace_id)), workspace_id)
        )

    def place_of(self, workspace_id: str) -> dict[str, keys.Key]:
        """The workspace's key by table name, to read with the API key; empty for an invalid id."""
        if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace_id, re.ASCII):
            return {}
        return {self._table.name: keys.workspace_item(workspace_id)}

    def check_found(self, found: Mapping[str, Item], workspace_id: str) -> None:
        """Raises NotFound unless the workspace is among these items by table name."""
        _existing(found.get(self._table.name), workspace_id)

    def get_all(self, workspace_ids: Iterable[str]) -> list[Workspace]:
        """The existing ones of these workspaces, in no order."""
        wanted = [keys.workspace_item(workspace_id) for workspace_id in workspace_ids]
        return [_workspace(item) for item in self._table.get_all(wanted) if ERASING not in item]

    def page(self, after: str, limit: int, only: Collection[str] | None = None) -> list[Workspace]:
        """At most `limit` workspaces after the id `after`, in the order of their ids.

        `only` restricts them to these ids.
        """
        ids = (
            (
                item["sk"]
                for item in self._table.query(keys.WORKSPACES, after=after, page_size=limit)
            )
            if only is None
            else iter(sorted(one for one in only if one > after))
        )
        found: list[Workspace] = []
        # Some may not exist, or are being erased: a short page would count as the last one.
        while len(found) < limit and (batch := list(islice(ids, limit - len(found)))):
            found += sorted(self.get_all(batch), key=lambda workspace: workspace.id)
        return found

    def delete(self, workspace_id: str) -> None:
        """Delete the workspace, if it exists."""
        self._write(
            {"Delete": {"Key": key(*keys.workspace_item(workspace_id))}},
            {"Delete": {"Key": key(keys.WORKSPACES, workspace_id)}},
        )

    def _write(self, of_workspace: dict[str, Any], of_list: dict[str, Any]) -> None:
        """Put or delete the workspace's item, unless it is an erasure's, and that of the list."""
        table: dict[str, Any] = {"TableName": self._table.name}
        unless = {"ConditionExpression": f"attribute_not_exists({ERASING})"}
        actions: list[Any] = [
            {name: request | table | unless} for name, request in of_workspace.items()
        ]
        actions += [{name: request | table} for name, request in of_list.items()]
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", ())
            if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
                raise being_erased() from error
            raise


def unknown_workspace(workspace_id: str) -> NotFound:
    """The error for a workspace that does not exist."""
    return NotFound(f"There is no workspace {workspace_id!r}.", code="unknown_workspace")


def being_erased() -> Conflict:
    """The error for every call about a workspace that is being erased."""
    return Conflict("The workspace is being erased.", code="being_erased")


def _existing(item: Item | None, workspace_id: str) -> Item:
    if item is None:
        raise unknown_workspace(workspace_id)
    if ERASING in item:
        raise being_erased()
    return item


def _workspace(item: Item) -> Workspace:
    values = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    # Not validated again: a stricter rule must not hide a workspace that was stored before.
    return Workspace.model_construct(id=keys.workspace_id_of(item["pk"]), **values)
