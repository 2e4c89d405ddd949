"""The identity, Connect's or Forge's, that calls to a site use, and why.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `credential` | the identity that Jira accepted after refusing the other |

Without an item, or with one older than a day, the preferred identity is tried first.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Identity(StrEnum):
    """The app's identities at a site: Connect's secret, or Forge's system token."""

    CONNECT = "connect"
    FORGE = "forge"


@dataclass(frozen=True, slots=True)
class IdentityChoice:
    """`because` is Jira's error for the other identity; `at` is when, in epoch milliseconds."""

    identity: Identity
    because: str
    at: int


class IdentityChoiceStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, tenant_id: str) -> IdentityChoice | None:
        """The site's choice; None where no identity was refused."""
        item = self._table.get(*keys.identity_choice(tenant_id))
        if item is None:
            return None
        return IdentityChoice(Identity(item["identity"]), item["because"], int(item["at"]))

    def save(self, tenant_id: str, choice: IdentityChoice) -> None:
        """Save the choice in place of an earlier one."""
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
        """Delete the choice, as after a new secret: Jira may now accept either identity."""
        self._table.write_all(deletes=[keys.identity_choice(tenant_id)])
