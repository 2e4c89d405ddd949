"""The answer to a submission: a verdict per entity, or what was not taken."""

import json
from typing import Any

from relay.edge.answer import ANSWER_BYTES_MAX, escaped_bytes
from relay.entities.submission import Submission, Verdict
from relay.errors import Detail, TooLarge, Unavailable


def submission_answer(submission: Submission, correlation_id: str) -> dict[str, Any]:
    """Made before anything is queued: raises TooLarge where it can't be answered in one."""
    accepted = len(submission.accepted)
    answer = {
        "submissionId": correlation_id,
        "accepted": accepted,
        "rejected": len(submission.verdicts) - accepted,
        "verdicts": [_verdict(verdict) for verdict in submission.verdicts],
    }
    if escaped_bytes(json.dumps(answer, ensure_ascii=False)) > ANSWER_BYTES_MAX:
        rule = Detail("", "max_answer_bytes", "Split the submission; nothing of it was taken")
        raise TooLarge("There is too much to say about this submission.", [rule])
    return answer


def not_queued(submission: Submission, count: int) -> Unavailable:
    """The error that names the accepted entities that are not in the queue: the last `count`."""
    accepted = [verdict for verdict in submission.verdicts if verdict.accepted]
    # Not by its id: of an entity's states in one submission some may be in the queue.
    details = [
        Detail(verdict.path, "not_queued", f"This {verdict.kind} was not taken")
        for verdict in accepted[len(accepted) - count :]
    ]
    return Unavailable("Not all could be queued; submit these again.", details, code="not_queued")


def _verdict(verdict: Verdict) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": verdict.kind.value,
        "index": verdict.index,
        "id": verdict.id,
        "verdict": "accepted" if verdict.accepted else "rejected",
    }
    if verdict.details:
        document["details"] = [
            {"path": detail.path, "rule": detail.rule, "message": detail.message}
            for detail in verdict.details
        ]
    return document
