"""Documents of receipts: ids checked, answers built."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from relay.edge.answer import page_of, present
from relay.entities.model import EntityKey
from relay.entities.moment import date_time_of
from relay.entities.submission_id import SUBMISSION_ID_PATTERN
from relay.errors import BadRequest, Detail, NotFound
from relay.record.receipts import Effect, Receipt

if TYPE_CHECKING:
    from relay.edge.shapes import submissions as shapes


def checked_submission_id(submission_id: str) -> str:
    """The id. Raises BadRequest if no submission can have it, such as a correlation id."""
    if not re.fullmatch(SUBMISSION_ID_PATTERN, submission_id):
        form = "`<epoch milliseconds>-<correlation id>`, as the answer to the submission returns it"
        rule = Detail("submissionId", "pattern", form)
        raise BadRequest("`submissionId` is not a valid submission id.", [rule])
    return submission_id


def receipt_document(submission_id: str, receipt: Receipt | None) -> "shapes.Receipt":
    """A receipt. Raises NotFound if there is none."""
    if receipt is None:
        raise NotFound(
            f"There is no receipt of submission '{submission_id}': it is not processed yet, was "
            "accepted over 14 days ago, or never accepted an entity in this workspace.",
            code="unknown_submission",
        )
    document: shapes.Receipt = {
        **_counts(receipt),
        "outdatedEntities": _entities(receipt.named[Effect.OUTDATED]),
        "conflictingEntities": _entities(receipt.named[Effect.CONFLICTING]),
    }
    return present(document)


def receipt_page(found: Sequence[Receipt], limit: int) -> "shapes.ReceiptPage":
    """A page of receipts; `found` has `limit` members unless it is the last page."""
    documents = ((receipt.submission_id, _counts(receipt)) for receipt in found)
    last = found[-1].submission_id if len(found) == limit else None
    submissions, following = page_of(documents, last)
    document: shapes.ReceiptPage = {"submissions": submissions, "next": following}
    return present(document)


def _counts(receipt: Receipt) -> "shapes.ReceiptCounts":
    return {
        "submissionId": receipt.submission_id,
        "acceptedAt": date_time_of(receipt.accepted_at),
        "processedAt": date_time_of(receipt.processed_at),
        "entities": sum(receipt.counts.values()),
        "recorded": receipt.counts[Effect.RECORDED],
        "same": receipt.counts[Effect.SAME],
        "superseded": receipt.counts[Effect.SUPERSEDED],
        "outdated": receipt.counts[Effect.OUTDATED],
        "conflicting": receipt.counts[Effect.CONFLICTING],
    }


def _entities(entities: Iterable[EntityKey]) -> "list[shapes.ReceiptEntity] | None":
    found: list[shapes.ReceiptEntity] = [{"kind": key.kind, "id": key.id} for key in entities]
    return found or None
