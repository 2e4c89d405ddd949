"""What is wrong with a site, as long as something is.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `trouble` | since when, why, and when the site is tried again |

No item means that nothing is known to be wrong. Times are epoch milliseconds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.table import Item, Table, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# How long one caller has the site to itself to find out whether it answers again.
_TRIAL_MS = 60_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """`code` and `message` are of the last answer, at `at`; it came with `status`, if there was
    one. `attempts` failed since `since`. Nothing is sent to the site before `until`.

    `needs_attention` says that it will hardly pass by itself.
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
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def of(self, tenant_id: str) -> Trouble | None:
        item = self._table.get(*keys.trouble(tenant_id))
        return trouble_of(item) if item else None

    def put(self, tenant_id: str, trouble: Trouble, known: Trouble | None) -> bool:
        """Keep it in place of `known`; False where another caller has come between."""
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
        """Take the site for a trial, if nobody else has; others wait until it is over."""
        return self._write(
            self._dynamodb.update_item,
            known,
            Key=key(*keys.trouble(tenant_id)),
            UpdateExpression="SET #until = :until",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":until": {"N": str(now + _TRIAL_MS)}},
        )

    def clear(self, tenant_id: str) -> None:
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
