"""From the queue: records what was submitted and delivers it to every linked site."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.aws import dynamodb_client, kms_client
from relay.catalog import ContainerStore
from relay.delivery import Delivery, Sites
from relay.edge.queue import consume
from relay.jira import http_client
from relay.record import RecordStore
from relay.secrets import Secrets
from relay.settings import SubmitterSettings
from relay.telemetry import in_context
from relay.tenants import LinkStore, TenantStore

settings = SubmitterSettings.from_environment()
dynamodb = dynamodb_client()
tenants = TenantStore(dynamodb, settings.tenants_table, Secrets(kms_client(), settings.secrets_key))
links = LinkStore(dynamodb, settings.tenants_table)
delivery = Delivery(
    RecordStore(dynamodb, settings.record_table),
    Sites(tenants, links, http_client(), settings.app_key),
    ContainerStore(dynamodb, settings.catalog_table),
)


@in_context
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    return consume(event, delivery)
