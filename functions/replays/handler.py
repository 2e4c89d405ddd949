"""Replays, as the operations tool asks for them."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.delivery import Dispatch, Requesting
from relay.edge.http import HttpFunction, json_answer
from relay.edge.replays import ReplaysQueue
from relay.edge.site_documents import replay_document, replay_request
from relay.identity import ApiKeyVerifier
from relay.secrets import Secrets
from relay.settings import ReplaysSettings
from relay.tenants import LinkStore, ReplayStore, TenantStore, TroubleStore

settings = ReplaysSettings.from_environment()
dynamodb = dynamodb_client()
api_key = ApiKeyVerifier(dynamodb, settings.api_keys_table)
tenants = TenantStore(dynamodb, settings.tenants_table, Secrets(kms_client(), settings.secrets_key))
replays = ReplayStore(dynamodb, settings.tenants_table)
dispatch = Dispatch(replays, ReplaysQueue(sqs_client(), settings.replays_queue))
requesting = Requesting(
    LinkStore(dynamodb, settings.tenants_table),
    replays,
    TroubleStore(dynamodb, settings.tenants_table),
    dispatch,
)

handler = HttpFunction(settings.base_url)


@handler.post("/v1/sites/<site>/replay")
def replay(site: str) -> Response[Any]:
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    tenant, asked = tenants.existing(site), replay_request(request)
    begun = requesting.request(tenant, asked.wanted, asked.since, asked.workspaceId)
    return json_answer(202, {"replays": [replay_document(one, dispatch.now()) for one in begun]})


@handler.get("/v1/sites/<site>/replay")
def show_replays(site: str) -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    found = replays.of_tenant(tenants.existing(site).id)
    return json_answer(200, {"replays": [replay_document(one, dispatch.now()) for one in found]})
