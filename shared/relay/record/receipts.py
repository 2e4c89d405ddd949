"""Receipts: the effect of what was submitted, for two weeks.

| pk | sk | holds |
|---|---|---|
| `receipt#<workspaceId>` | `<submissionId>#<offset>` | the receipt of one message of a submission |

A message that is received again replaces its receipt. DynamoDB deletes an expired receipt days
later, so reads skip it. The attributes are `processedAt` in epoch milliseconds, a count for each
`Effect`, the entities in `outdatedEntities` and `conflictingEntities`, and `expires`.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, groupby, islice, takewhile
from typing import TYPE_CHECKING

from relay import keys
from relay.entities.model import EntityKey
from relay.entities.submission_id import accepted_at_of
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A receipt with the longest ids then has half of an item's 400 KB.
ENTITIES_MAX = 100
# Counted from the acceptance, so that the order of the keys is that of expiry.
EXPIRES_AFTER_SECONDS = 14 * 86_400


class Effect(StrEnum):
    """The effect of a submitted state. The values are names of attributes and in answers."""

    RECORDED = "recorded"
    # Recorded before, with the same content.
    SAME = "same"
    # A newer state of the entity was processed together with it.
    SUPERSEDED = "superseded"
    # Older than the recorded state or than the entity's deletion.
    OUTDATED = "outdated"
    # It has the sequence of the recorded state, but other content.
    CONFLICTING = "conflicting"


# Of these effects, a receipt names the entities.
NAMED = (Effect.OUTDATED, Effect.CONFLICTING)
_HEAD = ("pk", "sk", "processedAt", "expires", *Effect)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The number of states by effect, of a message or of all of a submission's messages so far.

    `named` are the first entities, at most ENTITIES_MAX, of each effect in NAMED. `processed_at` is
    in epoch milliseconds.
    """

    workspace_id: str
    submission_id: str
    offset: int
    processed_at: int
    counts: Mapping[Effect, int]
    named: Mapping[Effect, Sequence[EntityKey]]

    @property
    def accepted_at(self) -> int:
        """When the submission was answered 202, in epoch milliseconds."""
        return accepted_at_of(self.submission_id)


class ReceiptStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def save(self, receipts: Sequence[Receipt]) -> None:
        """Write these receipts. Of two of one message, which SQS delivered twice, the first stays.

        After an error, part of them may be written.
        """
        items = map(_item, reversed(receipts))
        self._table.write_all({(item["pk"], item["sk"]): item for item in items}.values())

    def find(self, workspace_id: str, submission_id: str) -> Receipt | None:
        """The receipt of all of a submission's messages; None if none was processed, or all have
        expired."""
        pk, prefix = keys.receipts(workspace_id), keys.receipt_prefix(submission_id)
        parts = [_receipt(item) for item in self._table.query(pk, prefix) if _is_valid(item)]
        return _added(parts) if parts else None

    def page(self, workspace_id: str, after: str, limit: int) -> list[Receipt]:
        """The receipts of the next submissions, newest first, without the entities' names.

        `after` is a submission's id, or empty.
        """
        items = self._table.query(
            keys.receipts(workspace_id),
            after=keys.receipt_prefix(after) if after else "",
            page_size=limit + 1,
            newest=True,
            attributes=_HEAD,
        )
        receipts = map(_receipt, takewhile(_is_valid, items))
        submissions = groupby(receipts, key=lambda receipt: receipt.submission_id)
        return [_added(list(parts)) for _, parts in islice(submissions, limit)]


def named(entities: Iterable[EntityKey]) -> tuple[EntityKey, ...]:
    """The entities that a receipt names: the first ones, each once."""
    return tuple(islice(dict.fromkeys(entities), ENTITIES_MAX))


def _added(parts: Sequence[Receipt]) -> Receipt:
    first = parts[0]
    return Receipt(
        first.workspace_id,
        first.submission_id,
        first.offset,
        max(part.processed_at for part in parts),
        {effect: sum(part.counts[effect] for part in parts) for effect in Effect},
        {one: named(chain.from_iterable(part.named[one] for part in parts)) for one in NAMED},
    )


def _is_valid(item: Item) -> bool:
    return int(item["expires"]) > time.time()


def _item(receipt: Receipt) -> Item:
    return {
        "pk": keys.receipts(receipt.workspace_id),
        "sk": keys.receipt_sk(receipt.submission_id, receipt.offset),
        "processedAt": receipt.processed_at,
        **{effect.value: receipt.counts[effect] for effect in Effect},
        **{_names(effect): list(map(keys.entity_sk, receipt.named[effect])) for effect in NAMED},
        "expires": receipt.accepted_at // 1000 + EXPIRES_AFTER_SECONDS,
    }


def _receipt(item: Item) -> Receipt:
    submission_id, offset = keys.submission_of(item["sk"])
    return Receipt(
        keys.workspace_id_of(item["pk"]),
        submission_id,
        offset,
        int(item["processedAt"]),
        {effect: int(item[effect]) for effect in Effect},
        {one: tuple(map(keys.entity_of, item.get(_names(one), ()))) for one in NAMED},
    )


def _names(effect: Effect) -> str:
    return f"{effect}Entities"
