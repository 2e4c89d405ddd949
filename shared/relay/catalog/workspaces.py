"""The catalog's workspaces: `pk` is `workspace#<workspaceId>`, `sk` is `workspace`."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from relay.aws import from_item, to_item
from relay.entities.fields import Summary, Uri
from relay.errors import NotFound

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
        self._dynamodb = dynamodb
        self._table = table

    def put(self, workspace_id: str, document: WorkspaceDocument) -> Workspace:
        values = document.model_dump(exclude_none=True)
        key = {"pk": f"workspace#{workspace_id}", "sk": "workspace"}
        self._dynamodb.put_item(TableName=self._table, Item=to_item(key | values))
        return Workspace(id=workspace_id, **values)

    def get(self, workspace_id: str) -> Workspace:
        """Raises NotFound for a workspace that was never put."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key=to_item({"pk": f"workspace#{workspace_id}", "sk": "workspace"}),
            ConsistentRead=True,
        )
        if "Item" not in answer:
            raise NotFound(f"There is no workspace {workspace_id!r}.", code="unknown_workspace")
        values = from_item(answer["Item"])
        return Workspace(
            id=workspace_id,
            name=values["name"],
            url=values["url"],
            avatarUrl=values.get("avatarUrl"),
        )
