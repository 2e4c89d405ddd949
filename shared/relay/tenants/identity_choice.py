"""Which of its identities a site is called as, and why.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `credential` | the identity that Jira took, having refused the other |

Without an item, or once it is a day old, the preferred one is tried.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Identity(StrEnum):
    CONNECT = "connect"
    FORGE = "forge"


@dataclass(frozen=True, slots=True)
class IdentityChoice:
    """`because` is what Jira said to the other identity, at `at` (epoch milliseconds)."""

    identity: Identity
    because: str
    at: int


class IdentityChoiceStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, tenant_id: str) -> IdentityChoice | None:
        item = self._table.get(*keys.identity_choice(tenant_id))
        if item is None:
            return None
        return IdentityChoice(Identity(item["identity"]), item["because"], int(item["at"]))

    def save(self, tenant_id: str, choice: IdentityChoice) -> None:
        pk, sk = keys.identity_choice(tenant_id)
        self._table.put(
            {
                "pk": pk,
                "sk": sk,
                "identity": choice.identity.value,
                "because": choice.because,
                "at": choice.at,
            }
        )

    def forget(self, tenant_id: str) -> None:
        """A new secret, or a new installation: who knows what Jira takes now."""
        self._table.write_all(deletes=[keys.identity_choice(tenant_id)])
