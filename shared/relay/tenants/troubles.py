"""The trouble of each site: why Relay does not send to it, and until when.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `trouble` | since when, why, and when Relay tries the site again |

A site without an item has no trouble. Times are epoch milliseconds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.table import Item, Table, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# How long a caller has the exclusive right to try whether the site responds again.
_TRIAL_MS = 60_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """`code`, `message` and `status` describe the last failure, at `at`; `status` is None without a
    response. `attempts` is the number of failures since `since`. Nothing is sent before `until`.

    `needs_attention`: the trouble is unlikely to end without a person's help.
    """

    code: str
    message: str
    needs_attention: bool
    since: int
    at: int
    until: int
    attempts: int
    status: int | None = None


class TroubleStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def of(self, tenant_id: str) -> Trouble | None:
        """The site's trouble; None if it has none."""
        item = self._table.get(*keys.trouble(tenant_id))
        return trouble_of(item) if item else None

    def put(self, tenant_id: str, trouble: Trouble, known: Trouble | None) -> bool:
        """Save it in place of `known`; False if another caller has changed it meanwhile."""
        values = {
            "code": trouble.code,
            "message": trouble.message,
            "needsAttention": trouble.needs_attention,
            "since": trouble.since,
            "at": trouble.at,
            "until": trouble.until,
            "attempts": trouble.attempts,
            "status": trouble.status,
        }
        return self._write(
            self._dynamodb.put_item,
            known,
            Item=key(*keys.trouble(tenant_id)) | to_item(values),
        )

    def try_again(self, tenant_id: str, known: Trouble, now: int) -> bool:
        """Reserve the site for one attempt; False if another caller has changed it meanwhile."""
        return self._write(
            self._dynamodb.update_item,
            known,
            Key=key(*keys.trouble(tenant_id)),
            UpdateExpression="SET #until = :until",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":until": {"N": str(now + _TRIAL_MS)}},
        )

    def clear(self, tenant_id: str) -> None:
        """Delete the site's trouble, if it has any."""
        self._table.write_all(deletes=[keys.trouble(tenant_id)])

    def _write(self, call: Any, known: Trouble | None, **request: Any) -> bool:
        if known:
            request["ConditionExpression"] = "#until = :known AND attempts = :attempts"
            request["ExpressionAttributeNames"] = {"#until": "until"}
            request["ExpressionAttributeValues"] = request.get("ExpressionAttributeValues", {}) | {
                ":known": {"N": str(known.until)},
                ":attempts": {"N": str(known.attempts)},
            }
        else:
            request["ConditionExpression"] = "attribute_not_exists(pk)"
        try:
            call(TableName=self._table.name, **request)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def trouble_of(item: Item) -> Trouble:
    """The trouble in an item."""
    return Trouble(
        code=item["code"],
        message=item["message"],
        needs_attention=item["needsAttention"],
        since=int(item["since"]),
        at=int(item["at"]),
        until=int(item["until"]),
        attempts=int(item["attempts"]),
        status=int(item["status"]) if "status" in item else None,
    )
