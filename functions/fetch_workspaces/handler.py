"""Jira's action fetchWorkspaces: the names of a site's workspaces."""

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
site = parts.site

handler = HttpFunction(settings.base_url)


@handler.post("/workspaces/fetch")
def fetch_workspaces() -> Answer:
    """Get the names of workspaces.

    The answer leaves out unknown ids and those of other sites.
    """
    caller, request = handler.caller(site)
    found = catalog.workspaces(caller.tenant.id, parse_ids(request.body))
    return workspace_answer(found, request)


@handler.get("/workspaces/fetch", query=("ids", "searchQuery"))
def find_workspaces() -> Answer:
    """Find workspaces by a query.

    One of Jira's pages documents a POST for workspaces, another a GET for containers: a GET is
    answered with both. If the workspaces do not fit into one answer, it has the first ones by id.
    """
    caller, request = handler.caller(site)
    ids, query = query_values(request, "ids"), first_query_value(request, "searchQuery")
    found = catalog.workspaces(caller.tenant.id, ids or None, query or "")
    containers = catalog.containers(caller.tenant.id, query or "") if not ids else []
    return catalog_answer(found, containers, request)
