"""The catalog's workspaces: `pk` is `workspace#<workspaceId>`, `sk` is `workspace`."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from relay.entities.fields import Summary, Uri
from relay.errors import NotFound
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class WorkspaceDocument(BaseModel):
    """What the operations tool says of a workspace; Jira shows it when a site picks one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[Summary, Field(min_length=1)]
    url: Uri
    avatarUrl: Uri | None = None


class Workspace(WorkspaceDocument):
    id: str


class WorkspaceStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def put(self, workspace_id: str, document: WorkspaceDocument) -> Workspace:
        values = document.model_dump(exclude_none=True)
        self._table.put({"pk": _pk(workspace_id), "sk": "workspace"} | values)
        return Workspace(id=workspace_id, **values)

    def get(self, workspace_id: str) -> Workspace:
        """Raises NotFound for a workspace that was never put."""
        item = self._table.get(_pk(workspace_id), "workspace")
        if item is None:
            raise NotFound(f"There is no workspace {workspace_id!r}.", code="unknown_workspace")
        values = {name: value for name, value in item.items() if name not in ("pk", "sk")}
        return Workspace(id=workspace_id, **values)


def _pk(workspace_id: str) -> str:
    return f"workspace#{workspace_id}"
