"""The catalog's workspaces.

| pk | sk | holds |
|---|---|---|
| `workspace#<workspaceId>` | `workspace` | the workspace |
| `workspace#<workspaceId>` | `webhook` | whom to tell of associations (see `webhooks`) |
| `workspaces` | `<workspaceId>` | nothing more: the list of all |
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from relay import keys
from relay.entities.fields import WORKSPACE_ID_PATTERN, Document, Summary, Url
from relay.errors import NotFound
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class WorkspaceDocument(Document):
    """What the operations tool says of a workspace; Jira shows it when a site picks one."""

    name: Annotated[Summary, Field(min_length=1)]
    """The name that people in Jira see."""
    url: Url
    """The workspace's page in the operations tool."""
    avatarUrl: Url | None = None
    """An image for the workspace; without one, Jira shows the app's logo."""


class Workspace(WorkspaceDocument):
    """A workspace of the operations tool."""

    id: str
    """The operations tool's own id, as it stands in paths."""


class WorkspaceStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def put(self, workspace_id: str, document: WorkspaceDocument) -> Workspace:
        values = document.model_dump(exclude_none=True)
        pk, sk = keys.workspace_item(workspace_id)
        self._table.write_all(
            puts=[
                {"pk": pk, "sk": sk} | values,
                {"pk": keys.WORKSPACES, "sk": workspace_id},
            ]
        )
        return Workspace(id=workspace_id, **values)

    def get(self, workspace_id: str) -> Workspace:
        """Raises NotFound for a workspace that was never put."""
        return _workspace(
            _existing(self._table.get(*keys.workspace_item(workspace_id)), workspace_id)
        )

    def place_of(self, workspace_id: str) -> dict[str, keys.Key]:
        """Where the workspace is stored: its key, by table; empty for what is not a valid id."""
        if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace_id, re.ASCII):
            return {}
        return {self._table.name: keys.workspace_item(workspace_id)}

    def check_found(self, found: Mapping[str, Item], workspace_id: str) -> None:
        """Raises NotFound unless the workspace is among these items, by table."""
        _existing(found.get(self._table.name), workspace_id)

    def get_all(self, workspace_ids: Iterable[str]) -> list[Workspace]:
        """Those of these workspaces that there are."""
        wanted = [keys.workspace_item(workspace_id) for workspace_id in workspace_ids]
        return [_workspace(item) for item in self._table.get_all(wanted)]

    def page(self, after: str, limit: int, only: Collection[str] | None = None) -> list[Workspace]:
        """A page of workspaces in the order of their ids, `only` of these where given."""
        if only is None:
            ids = [
                item["sk"] for item in self._table.query(keys.WORKSPACES, after=after, limit=limit)
            ]
        else:
            # All of them, as some may not be there: a page that is short would be the last one.
            ids = [workspace_id for workspace_id in only if workspace_id > after]
        return sorted(self.get_all(ids), key=lambda workspace: workspace.id)[:limit]

    def delete(self, workspace_id: str) -> None:
        """Deleting what is not there is fine."""
        self._table.write_all(
            deletes=[keys.workspace_item(workspace_id), (keys.WORKSPACES, workspace_id)]
        )


def _existing(item: Item | None, workspace_id: str) -> Item:
    if item is None:
        raise NotFound(f"There is no workspace {workspace_id!r}.", code="unknown_workspace")
    return item


def _workspace(item: Item) -> Workspace:
    values = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    # It was valid when it was put; a rule that came later hides none.
    return Workspace.model_construct(id=keys.workspace_id_of(item["pk"]), **values)
