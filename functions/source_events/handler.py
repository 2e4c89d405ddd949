"""The webhooks of operations tools: verified, translated and queued as submissions are."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog.erasures import ErasureStore
from relay.catalog.source_alarms import SourceAlarmStore
from relay.catalog.source_deliveries import SourceDeliveryStore
from relay.catalog.sources import SourceStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.answer import Answer, json_answer
from relay.edge.http import HttpFunction
from relay.edge.source_consumer import SourceEventConsumer
from relay.edge.source_documents import call_of, checked_source_id, origin_of, taken_document
from relay.edge.workspace_calls import WorkspaceCalls
from relay.identity.api_keys import ApiKeyVerifier
from relay.identity.source_address import SourceAddressVerifier
from relay.provider.deletions import EntityDeleter
from relay.provider.source_intake import SourceIntake
from relay.queues.submissions import SubmissionsQueue
from relay.record.store import RecordStore
from relay.secrets import Secrets
from relay.settings import SourceEventsSettings
from relay.telemetry import in_context

settings = SourceEventsSettings.from_environment()
dynamodb = dynamodb_client()
queue = SubmissionsQueue(sqs_client(), settings.submissions_queue)
sources = SourceStore(dynamodb, settings.catalog_table, Secrets(kms_client(), settings.secrets_key))
workspaces = WorkspaceStore(dynamodb, settings.catalog_table)
intake = SourceIntake(
    sources,
    SourceDeliveryStore(dynamodb, settings.catalog_table),
    SourceAlarmStore(dynamodb, settings.catalog_table),
    queue,
    EntityDeleter(RecordStore(dynamodb, settings.record_table), queue),
)
by_address = SourceAddressVerifier(sources, workspaces)
consumer = SourceEventConsumer(
    intake,
    sources,
    workspaces,
    ErasureStore(dynamodb, settings.catalog_table),
    settings.cloudwatch_source,
    settings.base_url,
)

http = HttpFunction(settings.base_url)
calls = WorkspaceCalls(http, ApiKeyVerifier(dynamodb, settings.api_keys_table), workspaces)


@http.post("/sources/{address}", query=None)
def post_event(address: str) -> Answer:  # noqa: ARG001
    """Send an event of an operations tool, as its webhook does.

    The address is the `url` of a source. Where the tool signs, the call must be signed with the
    source's secret. The body is the tool's own; its size is limited to 256 KiB.
    """
    caller, request = http.caller(by_address)
    origin = origin_of(caller.workspace, request, http.correlation_id)
    return json_answer(202, taken_document(intake.take(caller.source, call_of(request), origin)))


@http.put("/sources/{address}", query=None)
def put_event(address: str) -> Answer:
    """Send an event by PUT, as Grafana may do."""
    return post_event(address)


@http.post("/v1/workspaces/{workspaceId}/sources/{sourceId}/events")
def post_event_by_key(workspace_id: str, source_id: str) -> Answer:
    """Send an event with an API key instead of the source's address.

    For a tool whose webhook can have headers, but whose URL is no place for a secret.
    """
    request = calls.about(workspace_id)
    source = sources.get(workspace_id, checked_source_id(source_id))
    origin = origin_of(workspaces.get(workspace_id), request, http.correlation_id)
    return json_answer(202, taken_document(intake.take(source, call_of(request), origin)))


@in_context
def consume(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    return consumer.consume(event)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """SQS's events have records, and API Gateway's have none."""
    return consume(event, context) if "Records" in event else http(event, context)
