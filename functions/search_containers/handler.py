"""Jira's action searchContainers: containers of a site's workspaces, by name."""

from relay.actions.site_catalog import SiteCatalog
from relay.catalog.containers import ContainerStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import container_answer
from relay.edge.answer import Answer
from relay.edge.http import HttpFunction
from relay.edge.query import first_query_value
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


@handler.get("/containers/search", query=("searchQuery", "workspaceId"))
def search_containers() -> Answer:
    """Search the containers of the site's workspaces by name.

    The search ignores case and accents.
    """
    caller, request = handler.caller(site)
    query = first_query_value(request, "searchQuery") or ""
    workspace_id = first_query_value(request, "workspaceId")
    return container_answer(catalog.containers(caller.tenant.id, query, workspace_id), request)
