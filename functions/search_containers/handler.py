"""Jira's action searchContainers: containers of a site's workspaces, by name."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.actions import SiteCatalog
from relay.aws import dynamodb_client, kms_client
from relay.catalog import ContainerStore, WorkspaceStore
from relay.edge.action_documents import container_answer
from relay.edge.http import HttpFunction
from relay.edge.query import first_query_value
from relay.identity import CallbackVerifier
from relay.secrets import Secrets
from relay.settings import SiteCatalogSettings
from relay.tenants import LinkStore, TenantStore

settings = SiteCatalogSettings.from_environment()
dynamodb = dynamodb_client()
secrets = Secrets(kms_client(), settings.secrets_key)
callback = CallbackVerifier(TenantStore(dynamodb, settings.tenants_table, secrets))
catalog = SiteCatalog(
    LinkStore(dynamodb, settings.tenants_table),
    WorkspaceStore(dynamodb, settings.catalog_table),
    ContainerStore(dynamodb, settings.catalog_table),
)

handler = HttpFunction(settings.base_url)


@handler.get("/containers/search")
def search() -> Response[Any]:
    caller, request = handler.caller(callback)
    query = first_query_value(request, "searchQuery") or ""
    workspace_id = first_query_value(request, "workspaceId")
    return container_answer(catalog.containers(caller.tenant.id, query, workspace_id), request)
