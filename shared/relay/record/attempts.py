"""Unfinished attempts at queue messages, which reveal messages that crash their function.

| pk | sk | holds |
|---|---|---|
| `attempt#<messageId>` | `attempt` | the number of attempts that started and have not ended |

The count is written before an attempt starts, and deleted when it ends, in success or failure. A
function that runs out of memory or time leaves it. DynamoDB deletes what is left after a day.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A message is redelivered minutes after its function was cut off.
_EXPIRES_AFTER_SECONDS = 86_400


class AttemptStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, message_ids: Iterable[str]) -> dict[str, int]:
        """The number of unfinished attempts by message id, for the messages that have any."""
        found = self._table.get_all([keys.attempt(one) for one in message_ids])
        return {keys.message_id_of(item["pk"]): int(item["attempts"]) for item in found}

    def note(self, attempts: Mapping[str, int]) -> None:
        """Save the number of unfinished attempts by message id, including the one that starts."""
        expires = int(time.time()) + _EXPIRES_AFTER_SECONDS
        noted = [(keys.attempt(one), count) for one, count in attempts.items()]
        self._table.write_all(
            puts=[
                {"pk": pk, "sk": sk, "attempts": count, "expires": expires}
                for (pk, sk), count in noted
            ]
        )

    def clear(self, message_ids: Iterable[str]) -> None:
        """Delete the counts of these messages, whose attempts have ended."""
        self._table.write_all(deletes=[keys.attempt(one) for one in message_ids])
