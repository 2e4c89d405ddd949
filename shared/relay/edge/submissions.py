"""The answer to a submission: a verdict per entity, or the entities that were not queued."""

from typing import TYPE_CHECKING

from relay.edge.answer import ANSWER_BYTES_MAX, document_bytes
from relay.entities.submission import Submission, Verdict
from relay.errors import Detail, TooLarge, Unavailable

if TYPE_CHECKING:
    from relay.edge.shapes import submissions as shapes


def submission_answer(submission: Submission, submission_id: str) -> "shapes.SubmissionVerdicts":
    """Call this before anything is queued: it raises TooLarge if one answer can't hold all."""
    accepted = len(submission.accepted)
    answer: shapes.SubmissionVerdicts = {
        "submissionId": submission_id,
        "accepted": accepted,
        "rejected": len(submission.verdicts) - accepted,
        "verdicts": [_verdict(verdict) for verdict in submission.verdicts],
    }
    if document_bytes(answer) > ANSWER_BYTES_MAX:
        rule = Detail("", "max_answer_bytes", "Split the submission; nothing was accepted")
        raise TooLarge("The response would exceed Lambda's limit; split the submission.", [rule])
    return answer


def not_queued(submission: Submission, count: int) -> Unavailable:
    """The error that names the accepted entities that were not queued: the last `count`."""
    accepted = [verdict for verdict in submission.verdicts if verdict.accepted]
    # By path, not by id: a submission may hold several states of one entity.
    details = [
        Detail(verdict.path, "not_queued", f"This {verdict.kind} was not queued")
        for verdict in accepted[len(accepted) - count :]
    ]
    return Unavailable(
        "Not all entities could be queued; submit these again.", details, code="not_queued"
    )


def _verdict(verdict: Verdict) -> "shapes.EntityVerdict":
    document: shapes.EntityVerdict = {
        "kind": verdict.kind,
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
