"""Jira's action onEntityAssociated: an incident or a review was associated."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.actions import Associations
from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog import WebhookStore
from relay.edge.http import HttpFunction, no_content
from relay.edge.notices import NoticesQueue
from relay.entities.association import parse_associated
from relay.identity import CallbackVerifier
from relay.record import AssociationStore, RecordStore
from relay.secrets import Secrets
from relay.settings import AssociationSettings
from relay.tenants import LinkStore, TenantStore

settings = AssociationSettings.from_environment()
dynamodb = dynamodb_client()
secrets = Secrets(kms_client(), settings.secrets_key)
tenants = TenantStore(dynamodb, settings.tenants_table, secrets)
callback = CallbackVerifier(tenants)
associations = Associations(
    tenants,
    LinkStore(dynamodb, settings.tenants_table),
    RecordStore(dynamodb, settings.record_table),
    AssociationStore(dynamodb, settings.record_table),
    WebhookStore(dynamodb, settings.catalog_table, secrets),
)
notices = NoticesQueue(sqs_client(), settings.notices_queue)

handler = HttpFunction(settings.base_url)


@handler.put("/entities/associated")
def associated() -> Response[Any]:
    caller, request = handler.caller(callback)
    notices.send(associations.associate(caller.tenant, parse_associated(request.body)))
    return no_content()
