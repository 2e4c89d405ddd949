"""From the queue: tells workspaces' webhooks what Jira told."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog import WebhookStore
from relay.edge.notices import NoticesQueue, Webhooks, webhook_client
from relay.secrets import Secrets
from relay.settings import WebhooksSettings
from relay.telemetry import in_context

settings = WebhooksSettings.from_environment()
secrets = Secrets(kms_client(), settings.secrets_key)
webhooks = Webhooks(
    WebhookStore(dynamodb_client(), settings.catalog_table, secrets),
    webhook_client(settings.test_webhook_origins),
    NoticesQueue(sqs_client(), settings.notices_queue),
)


@in_context
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    return webhooks.consume(event)
