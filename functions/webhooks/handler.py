"""Sends queued notices to workspaces' webhooks, and tests a webhook on request."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog.erasures import ErasureStore
from relay.catalog.webhooks import WebhookStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.answer import Answer, json_answer
from relay.edge.documents import attempt_document
from relay.edge.http import HttpFunction
from relay.edge.workspace_calls import WorkspaceCalls
from relay.identity.api_keys import ApiKeyVerifier
from relay.provider.webhooks import WebhookSender, webhook_client
from relay.queues.notices import NoticesQueue
from relay.secrets import Secrets
from relay.settings import WebhooksSettings
from relay.telemetry import in_context

settings = WebhooksSettings.from_environment()
dynamodb = dynamodb_client()
secrets = Secrets(kms_client(), settings.secrets_key)
webhooks = WebhookSender(
    WebhookStore(dynamodb, settings.catalog_table, secrets),
    ErasureStore(dynamodb, settings.catalog_table),
    webhook_client(settings.test_webhook_origins),
    NoticesQueue(sqs_client(), settings.notices_queue),
)

http = HttpFunction(settings.base_url)
calls = WorkspaceCalls(
    http,
    ApiKeyVerifier(dynamodb, settings.api_keys_table),
    WorkspaceStore(dynamodb, settings.catalog_table),
)


@http.post("/v1/workspaces/{workspaceId}/webhook/test")
def test_webhook(workspace_id: str) -> Answer:
    """Send a test notice to the workspace's webhook.

    It is signed like every notice, its type is `webhook.test`, and it is sent once. The webhook has
    ten seconds to answer.
    """
    calls.about(workspace_id)
    return json_answer(200, attempt_document(webhooks.test(workspace_id)))


@in_context
def consume(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    return webhooks.consume(event)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """SQS's events have records, and API Gateway's have none."""
    return consume(event, context) if "Records" in event else http(event, context)
