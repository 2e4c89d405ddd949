"""The operations tool's catalog: workspaces, their containers, their webhooks."""

from typing import TYPE_CHECKING

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog.containers import ContainerStore
from relay.catalog.erasures import ErasureStore
from relay.catalog.webhooks import WebhookStore
from relay.catalog.workspaces import WorkspaceStore, unknown_workspace
from relay.edge.action_documents import logo_url
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.documents import (
    checked_container_id,
    checked_workspace_id,
    container_document,
    container_page,
    containers_document,
    erasure_document,
    webhook_answer,
    webhook_document,
    workspace_document,
    workspace_page,
)
from relay.edge.http import HttpFunction
from relay.edge.query import flag, page_limit, page_start, query_value
from relay.edge.workspace_calls import WorkspaceCalls
from relay.errors import NotFound
from relay.identity.api_keys import ApiKeyVerifier
from relay.provider.erasing import ErasureSchedule
from relay.provider.workspace_data import WorkspaceData
from relay.queues.replays import ReplaysQueue
from relay.queues.submissions import ComponentChanges, SubmissionsQueue
from relay.secrets import Secrets
from relay.settings import WorkspacesSettings

if TYPE_CHECKING:
    from relay.edge.shapes.catalog import ContainerPage, PutCount, WebhookAnswer

settings = WorkspacesSettings.from_environment()
dynamodb, sqs = dynamodb_client(), sqs_client()
api_key = ApiKeyVerifier(dynamodb, settings.api_keys_table)
workspaces = WorkspaceStore(dynamodb, settings.catalog_table)
containers = ContainerStore(dynamodb, settings.catalog_table)
webhooks = WebhookStore(
    dynamodb, settings.catalog_table, Secrets(kms_client(), settings.secrets_key)
)
components = ComponentChanges(
    SubmissionsQueue(sqs, settings.submissions_queue),
    settings.components_module == "on",
)
erasures = ErasureStore(dynamodb, settings.catalog_table)
workspace_data = WorkspaceData(
    dynamodb, settings.tenants_table, settings.catalog_table, settings.record_table
)
erasing = ErasureSchedule(erasures, ReplaysQueue(sqs, settings.replays_queue))

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(handler, api_key, workspaces)


@handler.get("/v1/workspaces", query=("limit", "after"))
def list_workspaces() -> Answer:
    """List the workspaces that the key is for."""
    caller, request = calls.by_any_key()
    limit = page_limit(request)
    found = workspaces.page(page_start(request), limit, caller.workspaces)
    return json_answer(200, workspace_page(found, limit))


@handler.put("/v1/workspaces/{workspaceId}")
def put_workspace(workspace_id: str) -> Answer:
    """Create or update a workspace."""
    request = calls.by_key_for(workspace_id)
    return json_answer(200, workspaces.put(workspace_id, workspace_document(request)))


@handler.get("/v1/workspaces/{workspaceId}")
def get_workspace(workspace_id: str) -> Answer:
    """Get a workspace."""
    calls.by_key_for(workspace_id)
    return json_answer(200, workspaces.get(workspace_id))


@handler.delete("/v1/workspaces/{workspaceId}", query=("erase",))
def delete_workspace(workspace_id: str) -> Answer:
    """Delete a workspace, or erase it.

    A deleted workspace accepts no more submissions. Its links and its record stay. With `erase`,
    Relay deletes everything of the workspace, at every linked site and in its own tables, and the
    workspace last; this also erases what a workspace left that was deleted before. It takes a key
    for all workspaces; nothing stops it. Until it is done, every other call about the workspace is
    answered 409, and queued submissions are dropped. A site that can't be called is tried for 14
    days, and then named as not reached.
    """
    caller, request = calls.by_any_key()
    caller.check_workspace(checked_workspace_id(workspace_id))
    if flag(request, "erase"):
        caller.check_all_workspaces()
        if not workspace_data.exists(workspace_id):
            raise unknown_workspace(workspace_id)
        return json_answer(202, erasure_document(erasing.start(workspace_id)))
    workspaces.delete(workspace_id)
    return no_content()


@handler.get("/v1/workspaces/{workspaceId}/erasure")
def get_erasure(workspace_id: str) -> Answer:
    """Get the progress of a workspace's erasure.

    For two months after it is done, it is answered with the stage `done`.
    """
    calls.by_key_for(workspace_id)
    erasure = erasures.last(workspace_id)
    if erasure is None:
        workspaces.get(workspace_id)
        raise NotFound(f"The workspace {workspace_id!r} is not erased.", code="unknown_erasure")
    return json_answer(200, erasure_document(erasure))


@handler.get("/v1/workspaces/{workspaceId}/containers", query=("query", "limit", "after"))
def list_containers(workspace_id: str) -> Answer:
    """List a workspace's containers, or search them by name."""
    request = calls.about(workspace_id)
    query = query_value(request, "query")
    limit = page_limit(request)
    if query:
        best = [one for _, one in containers.search([workspace_id], query)[:limit]]
        matches: ContainerPage = {"containers": best}
        return json_answer(200, matches)
    found = containers.page(workspace_id, page_start(request), limit)
    return json_answer(200, container_page(found, limit))


@handler.post("/v1/workspaces/{workspaceId}/containers")
def put_containers(workspace_id: str) -> Answer:
    """Create or update containers."""
    request = calls.about(workspace_id)
    wanted = containers_document(request)
    containers.put_all(workspace_id, wanted)
    components.queue(
        workspace_id, [one.id for one in wanted], logo_url(request), handler.correlation_id
    )
    answer: PutCount = {"put": len(wanted)}
    return json_answer(200, answer)


@handler.put("/v1/workspaces/{workspaceId}/containers/{containerId+}")
def put_container(workspace_id: str, container_id: str) -> Answer:
    """Create or update a container."""
    request = calls.about(workspace_id)
    container = container_document(request, container_id)
    containers.put_all(workspace_id, [container])
    components.queue(workspace_id, [container.id], logo_url(request), handler.correlation_id)
    return json_answer(200, container)


@handler.get("/v1/workspaces/{workspaceId}/containers/{containerId+}")
def get_container(workspace_id: str, container_id: str) -> Answer:
    """Get a container."""
    calls.about(workspace_id)
    return json_answer(200, containers.get(workspace_id, checked_container_id(container_id)))


@handler.delete("/v1/workspaces/{workspaceId}/containers/{containerId+}")
def delete_container(workspace_id: str, container_id: str) -> Answer:
    """Delete a container."""
    request = calls.about(workspace_id)
    containers.delete(workspace_id, checked_container_id(container_id))
    components.queue(workspace_id, [container_id], logo_url(request), handler.correlation_id)
    return no_content()


@handler.put("/v1/workspaces/{workspaceId}/webhook")
def put_webhook(workspace_id: str) -> Answer:
    """Set the workspace's webhook.

    Relay calls it, as Standard Webhooks specifies, when a Jira user associates or disassociates an
    entity of the workspace: `entity.associated`, `entity.disassociated`. The host must be public:
    Relay does not call a host that resolves to a private or local address.
    """
    request = calls.about(workspace_id)
    webhook = webhook_document(request, settings.test_webhook_origins)
    webhooks.put(workspace_id, webhook)
    answer: WebhookAnswer = {"url": webhook.url}
    return json_answer(200, answer)


@handler.get("/v1/workspaces/{workspaceId}/webhook")
def get_webhook(workspace_id: str) -> Answer:
    """Get the workspace's webhook."""
    calls.about(workspace_id)
    return json_answer(200, webhook_answer(*webhooks.shown(workspace_id)))


@handler.delete("/v1/workspaces/{workspaceId}/webhook")
def delete_webhook(workspace_id: str) -> Answer:
    """Delete the workspace's webhook."""
    calls.about(workspace_id)
    webhooks.delete(workspace_id)
    return no_content()
