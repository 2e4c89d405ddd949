"""Links between workspaces and sites, kept at both ends in one transaction; and offers of links."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from relay.aws import to_item
from relay.table import Table, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LinkStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def link(self, tenant_id: str, workspace_id: str, logo_url: str = "") -> None:
        """`logo_url` is shown for containers without an avatar of their own."""
        self._write(tenant_id, workspace_id, "Put", logo_url)

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

    def logo_url_of(self, tenant_id: str, workspace_id: str) -> str | None:
        """None where the two are not linked."""
        link = self._table.get(f"tenant#{tenant_id}", f"workspace#{workspace_id}")
        return link.get("logoUrl", "") if link else None

    def _write(
        self,
        tenant_id: str,
        workspace_id: str,
        action: Literal["Put", "Delete"],
        logo_url: str = "",
    ) -> None:
        tenant, workspace = f"tenant#{tenant_id}", f"workspace#{workspace_id}"
        field = "Item" if action == "Put" else "Key"
        values = to_item({"logoUrl": logo_url}) if action == "Put" else {}
        both: list[Any] = [
            {action: {"TableName": self._table.name, field: key(pk, sk) | values}}
            for pk, sk in ((tenant, workspace), (workspace, tenant))
        ]
        self._dynamodb.transact_write_items(TransactItems=both)

    def _ends(self, pk: str, prefix: str) -> Iterator[str]:
        for link in self._table.query(pk, prefix):
            yield link["sk"].removeprefix(prefix)
