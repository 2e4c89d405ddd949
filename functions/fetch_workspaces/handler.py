"""Jira's action fetchWorkspaces: what the workspaces of a site are called."""

from relay.actions.site_catalog import SiteCatalog
from relay.catalog.containers import ContainerStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import catalog_answer, parse_ids, workspace_answer
from relay.edge.answer import Answer
from relay.edge.http import HttpFunction
from relay.edge.query import first_query_value, query_values
from relay.edge.wiring import ForgeParts
from relay.settings import SiteCatalogSettings

settings = SiteCatalogSettings.from_environment()
parts = ForgeParts(settings)
catalog = SiteCatalog(
    parts.links,
    WorkspaceStore(parts.dynamodb, settings.catalog_table),
    ContainerStore(parts.dynamodb, settings.catalog_table),
)

handler = HttpFunction(settings.base_url)


@handler.post("/workspaces/fetch")
def fetch_by_body() -> Answer:
    caller, request = handler.caller(parts.site)
    found = catalog.workspaces(caller.tenant.id, parse_ids(request.body))
    return workspace_answer(found, request)


@handler.get("/workspaces/fetch")
def fetch_by_query() -> Answer:
    """The module's page describes a GET for containers where the actions' page has a POST for
    workspaces: a GET is answered with both."""
    caller, request = handler.caller(parts.site)
    ids, query = query_values(request, "ids"), first_query_value(request, "searchQuery")
    found = catalog.workspaces(caller.tenant.id, ids or None, query or "")
    containers = catalog.containers(caller.tenant.id, query or "") if not ids else []
    return catalog_answer(found, containers, request)
