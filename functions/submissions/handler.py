"""Submissions of the operations tool: judged, queued, answered with a verdict per entity."""

from relay.aws import dynamodb_client, sqs_client
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.answer import Answer, json_answer
from relay.edge.http import HttpFunction
from relay.edge.query import flag
from relay.edge.request import json_body
from relay.edge.submissions import not_queued, submission_answer
from relay.edge.workspace_calls import WorkspaceCalls
from relay.entities.document import SUBMISSION_BYTES_MAX
from relay.entities.submission import parse_submission
from relay.identity.api_keys import ApiKeyVerifier
from relay.queues.submissions import Message, SubmissionsQueue
from relay.settings import SubmissionsSettings
from relay.telemetry import Metric, count

settings = SubmissionsSettings.from_environment()
dynamodb = dynamodb_client()
queue = SubmissionsQueue(sqs_client(), settings.submissions_queue)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(
    handler,
    ApiKeyVerifier(dynamodb, settings.api_keys_table),
    WorkspaceStore(dynamodb, settings.catalog_table),
)


@handler.post("/v1/workspaces/{workspaceId}/submissions", query=("dryRun",))
def submit(workspace_id: str) -> Answer:
    request = calls.about(workspace_id)
    submission = parse_submission(json_body(request, SUBMISSION_BYTES_MAX))
    answer = submission_answer(submission, handler.correlation_id)
    if flag(request, "dryRun"):
        return json_answer(200, answer | {"dryRun": True})
    if submission.accepted:
        unsent = queue.unsent(Message(workspace_id, handler.correlation_id, submission.accepted))
        if unsent:
            raise not_queued(submission, sum(len(part.states) for part in unsent))
    count(Metric.SUBMITTED, answer["accepted"])
    count(Metric.INVALID, answer["rejected"])
    return json_answer(202, answer)
