"""Jira's action fetchWorkspaces: what the workspaces of a site are called."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.actions import SiteCatalog
from relay.aws import dynamodb_client, kms_client
from relay.catalog import ContainerStore, WorkspaceStore
from relay.edge.action_documents import parse_ids, workspace_answer
from relay.edge.http import HttpFunction
from relay.edge.query import first_query_value, query_values
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


@handler.post("/workspaces/fetch")
def fetch_by_body() -> Response[Any]:
    caller, request = handler.caller(callback)
    found = catalog.workspaces(caller.tenant.id, parse_ids(request.body))
    return workspace_answer(found, request)


@handler.get("/workspaces/fetch")
def fetch_by_query() -> Response[Any]:
    """The module's page shows a GET where the actions' page has a POST; both are served."""
    caller, request = handler.caller(callback)
    ids, query = query_values(request, "ids"), first_query_value(request, "searchQuery")
    found = catalog.workspaces(caller.tenant.id, ids or None, query or "")
    return workspace_answer(found, request)
