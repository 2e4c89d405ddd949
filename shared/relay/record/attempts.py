"""How often a function was cut off while it worked on a message, without a word.

| pk | sk | holds |
|---|---|---|
| `attempt#<messageId>` | `attempt` | attempts that were begun and have not ended |

An attempt is noted before it begins, and struck off once it ends, however it ends: a function that
is out of memory or out of time ends none. What is left over, DynamoDB deletes a day later.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A message comes again minutes after it was cut off.
_KEPT_SECONDS = 86_400


class AttemptStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, message_ids: Iterable[str]) -> dict[str, int]:
        """Of these messages, those with attempts that have not ended. Raises Unavailable."""
        found = self._table.get_all([keys.attempt(one) for one in message_ids])
        return {keys.message_id_of(item["pk"]): int(item["attempts"]) for item in found}

    def note(self, attempts: Mapping[str, int]) -> None:
        """So many for each of these messages, the one that begins included. Raises Unavailable."""
        expires = int(time.time()) + _KEPT_SECONDS
        noted = [(keys.attempt(one), count) for one, count in attempts.items()]
        self._table.write_all(
            puts=[
                {"pk": pk, "sk": sk, "attempts": count, "expires": expires}
                for (pk, sk), count in noted
            ]
        )

    def clear(self, message_ids: Iterable[str]) -> None:
        """They have ended. Raises Unavailable."""
        self._table.write_all(deletes=[keys.attempt(one) for one in message_ids])
