"""Sites, and the workspaces linked to them: kept here and in Jira alike."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog import ContainerStore, WorkspaceStore
from relay.delivery import Components, Linking, Sites
from relay.edge.action_documents import logo_url
from relay.edge.documents import checked_workspace_id, site_document
from relay.edge.http import HttpFunction, json_answer, no_content
from relay.edge.queue import SubmissionsQueue
from relay.identity import ApiKeyVerifier
from relay.jira import http_client
from relay.secrets import Secrets
from relay.settings import LinksSettings
from relay.tenants import LinkStore, TenantStore

settings = LinksSettings.from_environment()
dynamodb = dynamodb_client()
api_key = ApiKeyVerifier(dynamodb, settings.api_keys_table)
tenants = TenantStore(dynamodb, settings.tenants_table, Secrets(kms_client(), settings.secrets_key))
links = LinkStore(dynamodb, settings.tenants_table)
linking = Linking(
    tenants,
    links,
    WorkspaceStore(dynamodb, settings.catalog_table),
    Sites(tenants, links, http_client(), settings.app_key),
)
components = Components(
    ContainerStore(dynamodb, settings.catalog_table),
    SubmissionsQueue(sqs_client(), settings.submissions_queue),
    settings.components_module == "on",
)

handler = HttpFunction(settings.base_url)


@handler.get("/v1/sites")
def list_sites() -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    return json_answer(200, {"sites": [site_document(tenant) for tenant in tenants.all()]})


@handler.get("/v1/sites/<site>")
def get_site(site: str) -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    return json_answer(200, site_document(linking.tenant(site)))


@handler.get("/v1/sites/<site>/workspaces")
def list_links(site: str) -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    return json_answer(200, linking.links_of(site))


@handler.put("/v1/sites/<site>/workspaces/<workspace_id>")
def link(site: str, workspace_id: str) -> Response[Any]:
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    linking.link(site, checked_workspace_id(workspace_id))
    components.bring_all(workspace_id, logo_url(request), handler.correlation_id)
    return json_answer(200, {"site": site, "workspaceId": workspace_id})


@handler.delete("/v1/sites/<site>/workspaces/<workspace_id>")
def unlink(site: str, workspace_id: str) -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    # Jira takes ids with commas between: one of ours must not read as two of them.
    linking.unlink(site, checked_workspace_id(workspace_id))
    return no_content()


@handler.put("/v1/sites/<site>/offers/<workspace_id>")
def offer(site: str, workspace_id: str) -> Response[Any]:
    """The site's admin then finds the workspace in Jira; nothing of it is delivered there."""
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    linking.offer(site, checked_workspace_id(workspace_id))
    return json_answer(200, {"site": site, "workspaceId": workspace_id})


@handler.delete("/v1/sites/<site>/offers/<workspace_id>")
def withdraw_offer(site: str, workspace_id: str) -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    linking.withdraw_offer(site, checked_workspace_id(workspace_id))
    return no_content()
