"""The catalog as the operations tool keeps it: workspaces, their containers, their webhooks."""

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog.containers import ContainerStore
from relay.catalog.webhooks import WebhookStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import logo_url
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.documents import (
    catalog_page,
    checked_container_id,
    checked_workspace_id,
    container_document,
    containers_document,
    webhook_answer,
    webhook_document,
    workspace_document,
)
from relay.edge.http import HttpFunction
from relay.edge.query import page_limit, page_start, query_value
from relay.edge.workspace_calls import WorkspaceCalls
from relay.identity.api_keys import ApiKeyVerifier
from relay.queues.submissions import ComponentChanges, SubmissionsQueue
from relay.secrets import Secrets
from relay.settings import WorkspacesSettings

settings = WorkspacesSettings.from_environment()
dynamodb = dynamodb_client()
api_key = ApiKeyVerifier(dynamodb, settings.api_keys_table)
workspaces = WorkspaceStore(dynamodb, settings.catalog_table)
containers = ContainerStore(dynamodb, settings.catalog_table)
webhooks = WebhookStore(
    dynamodb, settings.catalog_table, Secrets(kms_client(), settings.secrets_key)
)
components = ComponentChanges(
    SubmissionsQueue(sqs_client(), settings.submissions_queue),
    settings.components_module == "on",
)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(handler, api_key, workspaces)


@handler.get("/v1/workspaces", query=("after", "limit"))
def list_workspaces() -> Answer:
    caller, request = handler.caller(api_key)
    limit = page_limit(request)
    found = workspaces.page(page_start(request), limit, caller.workspaces)
    return json_answer(200, catalog_page("workspaces", found, limit))


@handler.put("/v1/workspaces/{workspaceId}")
def put_workspace(workspace_id: str) -> Answer:
    caller, request = handler.caller(api_key)
    caller.check_workspace(checked_workspace_id(workspace_id))
    workspace = workspaces.put(workspace_id, workspace_document(request))
    return json_answer(200, workspace.model_dump(exclude_none=True))


@handler.get("/v1/workspaces/{workspaceId}")
def get_workspace(workspace_id: str) -> Answer:
    caller, _ = handler.caller(api_key)
    caller.check_workspace(checked_workspace_id(workspace_id))
    return json_answer(200, workspaces.get(workspace_id).model_dump(exclude_none=True))


@handler.delete("/v1/workspaces/{workspaceId}")
def delete_workspace(workspace_id: str) -> Answer:
    """It takes no more submissions; what was recorded of it stays, and so do its links."""
    caller, _ = handler.caller(api_key)
    caller.check_workspace(checked_workspace_id(workspace_id))
    workspaces.delete(workspace_id)
    return no_content()


@handler.get("/v1/workspaces/{workspaceId}/containers", query=("query", "after", "limit"))
def list_containers(workspace_id: str) -> Answer:
    """With `query`, those whose name holds it, best first; without, all of them in pages."""
    request = calls.about(workspace_id)
    query = query_value(request, "query")
    limit = page_limit(request)
    if query:
        found = containers.search([workspace_id], query)[:limit]
        return json_answer(
            200, {"containers": [one.model_dump(exclude_none=True) for _, one in found]}
        )
    page = containers.page(workspace_id, page_start(request), limit)
    return json_answer(200, catalog_page("containers", page, limit))


@handler.post("/v1/workspaces/{workspaceId}/containers")
def put_containers(workspace_id: str) -> Answer:
    request = calls.about(workspace_id)
    wanted = containers_document(request)
    containers.put_all(workspace_id, wanted)
    components.queue(
        workspace_id, [one.id for one in wanted], logo_url(request), handler.correlation_id
    )
    return json_answer(200, {"put": len(wanted)})


@handler.put("/v1/workspaces/{workspaceId}/containers/{containerId+}")
def put_container(workspace_id: str, container_id: str) -> Answer:
    request = calls.about(workspace_id)
    container = container_document(request, container_id)
    containers.put_all(workspace_id, [container])
    components.queue(workspace_id, [container.id], logo_url(request), handler.correlation_id)
    return json_answer(200, container.model_dump(exclude_none=True))


@handler.get("/v1/workspaces/{workspaceId}/containers/{containerId+}")
def get_container(workspace_id: str, container_id: str) -> Answer:
    calls.about(workspace_id)
    container = containers.get(workspace_id, checked_container_id(container_id))
    return json_answer(200, container.model_dump(exclude_none=True))


@handler.delete("/v1/workspaces/{workspaceId}/containers/{containerId+}")
def delete_container(workspace_id: str, container_id: str) -> Answer:
    request = calls.about(workspace_id)
    containers.delete(workspace_id, checked_container_id(container_id))
    components.queue(workspace_id, [container_id], logo_url(request), handler.correlation_id)
    return no_content()


@handler.put("/v1/workspaces/{workspaceId}/webhook")
def put_webhook(workspace_id: str) -> Answer:
    request = calls.about(workspace_id)
    webhook = webhook_document(request, settings.test_webhook_origins)
    webhooks.put(workspace_id, webhook)
    return json_answer(200, {"url": webhook.url})


@handler.get("/v1/workspaces/{workspaceId}/webhook")
def get_webhook(workspace_id: str) -> Answer:
    """Its URL, and the last attempts to tell it; the secret is never shown."""
    calls.about(workspace_id)
    return json_answer(200, webhook_answer(*webhooks.shown(workspace_id)))


@handler.delete("/v1/workspaces/{workspaceId}/webhook")
def delete_webhook(workspace_id: str) -> Answer:
    calls.about(workspace_id)
    webhooks.delete(workspace_id)
    return no_content()
