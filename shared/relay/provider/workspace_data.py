"""Whether the tables hold anything of a workspace."""

from typing import TYPE_CHECKING

from relay import keys
from relay.aws import side_by_side
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class WorkspaceData:
    """Looks for what a workspace leaves behind when it is deleted but not erased."""

    def __init__(self, dynamodb: "DynamoDBClient", tenants: str, catalog: str, record: str) -> None:
        self._tenants, self._catalog, self._record = (
            Table(dynamodb, name) for name in (tenants, catalog, record)
        )

    def exists(self, workspace_id: str) -> bool:
        """Whether the workspace exists, is being erased, was ever linked, or has containers,
        receipts or recorded entities. Raises TABLE_ERRORS."""
        if self._catalog.get(*keys.workspace_item(workspace_id)):
            return True
        places = [
            (self._tenants, keys.workspace(workspace_id)),
            (self._catalog, keys.workspace(workspace_id)),
            (self._catalog, keys.containers(workspace_id)),
            (self._record, keys.receipts(workspace_id)),
            *((self._record, pk) for pk in keys.entities(workspace_id).pks),
        ]
        return any(side_by_side(_has_any, places))


def _has_any(place: tuple[Table, str]) -> bool:
    table, pk = place
    return any(table.query(pk, limit=1, attributes=("pk",)))
