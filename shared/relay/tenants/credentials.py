"""Which of its identities a site is called as, and why.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `credential` | the identity that Jira took, having refused the other |

Without an item, or once it is a day old, the preferred one is tried.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CREDENTIAL = "credential"


class Identity(StrEnum):
    CONNECT = "connect"
    FORGE = "forge"


@dataclass(frozen=True, slots=True)
class Choice:
    """`because` is what Jira said to the other identity, at `at` (epoch milliseconds)."""

    identity: Identity
    because: str
    at: int


class ChoiceStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, tenant_id: str) -> Choice | None:
        item = self._table.get(f"tenant#{tenant_id}", _CREDENTIAL)
        if item is None:
            return None
        return Choice(Identity(item["identity"]), item["because"], int(item["at"]))

    def keep(self, tenant_id: str, choice: Choice) -> None:
        self._table.put(
            {
                "pk": f"tenant#{tenant_id}",
                "sk": _CREDENTIAL,
                "identity": choice.identity.value,
                "because": choice.because,
                "at": choice.at,
            }
        )

    def forget(self, tenant_id: str) -> None:
        """A new secret, or a new installation: who knows what Jira takes now."""
        self._table.write_all(deletes=[(f"tenant#{tenant_id}", _CREDENTIAL)])
