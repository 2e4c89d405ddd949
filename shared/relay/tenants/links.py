"""Links between workspaces and sites, kept at both ends in one transaction; and offers of links."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from relay.table import Table, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LinkStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def link(self, tenant_id: str, workspace_id: str) -> None:
        self._write(tenant_id, workspace_id, "Put")

    def unlink(self, tenant_id: str, workspace_id: str) -> None:
        self._write(tenant_id, workspace_id, "Delete")

    def offer(self, tenant_id: str, workspace_id: str) -> None:
        """Let the site's admin find the workspace; nothing of it is delivered there."""
        self._table.put({"pk": f"tenant#{tenant_id}", "sk": f"offer#{workspace_id}"})

    def withdraw_offer(self, tenant_id: str, workspace_id: str) -> None:
        self._table.write_all(deletes=[(f"tenant#{tenant_id}", f"offer#{workspace_id}")])

    def offers_to(self, tenant_id: str) -> list[str]:
        return list(self._ends(f"tenant#{tenant_id}", "offer#"))

    def workspaces_of(self, tenant_id: str) -> list[str]:
        return list(self._ends(f"tenant#{tenant_id}", "workspace#"))

    def tenants_of(self, workspace_id: str) -> list[str]:
        return list(self._ends(f"workspace#{workspace_id}", "tenant#"))

    def _write(self, tenant_id: str, workspace_id: str, action: Literal["Put", "Delete"]) -> None:
        tenant, workspace = f"tenant#{tenant_id}", f"workspace#{workspace_id}"
        field = "Item" if action == "Put" else "Key"
        both: list[Any] = [
            {action: {"TableName": self._table.name, field: key(pk, sk)}}
            for pk, sk in ((tenant, workspace), (workspace, tenant))
        ]
        self._dynamodb.transact_write_items(TransactItems=both)

    def _ends(self, pk: str, prefix: str) -> Iterator[str]:
        for link in self._table.query(pk, prefix):
            yield link["sk"].removeprefix(prefix)
