"""Submissions: validated, queued, answered with a verdict per entity; their receipts."""

from typing import TYPE_CHECKING

from relay.aws import dynamodb_client, sqs_client
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.answer import Answer, json_answer
from relay.edge.http import HttpFunction
from relay.edge.query import flag, page_limit, submission_cursor
from relay.edge.receipt_documents import (
    checked_submission_id,
    receipt_document,
    receipt_page,
)
from relay.edge.request import json_body
from relay.edge.submissions import not_queued, submission_answer
from relay.edge.workspace_calls import WorkspaceCalls
from relay.entities.document import SUBMISSION_BYTES_MAX
from relay.entities.submission import parse_submission
from relay.identity.api_keys import ApiKeyVerifier
from relay.queues.submissions import Message, SubmissionsQueue
from relay.record.receipts import ReceiptStore
from relay.settings import SubmissionsSettings
from relay.telemetry import Metric, count

if TYPE_CHECKING:
    from relay.edge.shapes.submissions import DryRunVerdicts

settings = SubmissionsSettings.from_environment()
dynamodb = dynamodb_client()
queue = SubmissionsQueue(sqs_client(), settings.submissions_queue)
receipts = ReceiptStore(dynamodb, settings.record_table)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(
    handler,
    ApiKeyVerifier(dynamodb, settings.api_keys_table),
    WorkspaceStore(dynamodb, settings.catalog_table),
)


@handler.post("/v1/workspaces/{workspaceId}/submissions", query=("dryRun",))
def submit(workspace_id: str) -> Answer:
    """Submit incidents and reviews.

    Any number of entities, within the size limit of a submission, optionally compressed
    (`Content-Encoding: gzip`). Each entity is validated separately: one that breaks a rule of its
    schema, or is not JSON, gets the verdict `rejected`, the others are accepted, and the answer is
    still 202. Null counts as absent. Of two states of an entity, the one with the higher
    updateSequenceNumber wins, in whatever order they arrive.
    """
    request = calls.about(workspace_id)
    submission = parse_submission(json_body(request, SUBMISSION_BYTES_MAX))
    message = Message(workspace_id, handler.correlation_id, submission.accepted)
    answer = submission_answer(submission, message.submission_id)
    if flag(request, "dryRun"):
        verdicts: DryRunVerdicts = {**answer, "dryRun": True}
        return json_answer(200, verdicts)
    if submission.accepted:
        unsent = queue.unsent(message)
        if unsent:
            raise not_queued(submission, sum(len(part.states) for part in unsent))
    count(Metric.SUBMITTED, answer["accepted"])
    count(Metric.INVALID, answer["rejected"])
    return json_answer(202, answer)


@handler.get("/v1/workspaces/{workspaceId}/submissions", query=("limit", "after"))
def list_submissions(workspace_id: str) -> Answer:
    """List the receipts of the last two weeks' submissions, newest first.

    A submission is listed once a part of it is processed. Drafts of reviews are submissions, too.
    """
    request = calls.about(workspace_id)
    after, limit = submission_cursor(request), page_limit(request)
    return json_answer(200, receipt_page(receipts.page(workspace_id, after, limit), limit))


@handler.get("/v1/workspaces/{workspaceId}/submissions/{submissionId}")
def get_submission(workspace_id: str, submission_id: str) -> Answer:
    """Get the receipt of a submission: the effect of its accepted entities.

    Each accepted entity counts once. Relay keeps a receipt for two weeks after the submission. A
    large submission is processed in parts: the receipt covers the parts that are processed. A part
    that is processed again, after a failure, replaces its receipt: what was recorded the first time
    then counts as `same`.
    """
    calls.about(workspace_id)
    checked = checked_submission_id(submission_id)
    return json_answer(200, receipt_document(checked, receipts.find(workspace_id, checked)))
