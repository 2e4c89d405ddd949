"""The page for a site's admin inside Jira: its files, and its API."""

from pathlib import Path

from relay import VERSION
from relay.edge.action_documents import logo_url
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.entity_documents import page_cursor
from relay.edge.envelope import EnvelopeFunction
from relay.edge.page_calls import PageCalls
from relay.edge.page_documents import (
    PageDocuments,
    entities_page,
    page_replay_request,
    search_text,
    test_incident,
    unsettled_state,
)
from relay.edge.page_files import PageFiles
from relay.edge.page_wiring import PageParts
from relay.edge.query import page_limit
from relay.edge.site_documents import replay_document
from relay.settings import PageSettings
from relay.tenants.links import unknown_link
from relay.tenants.replay import ReplayScope

settings = PageSettings.from_environment()
parts = PageParts(settings)
first_load = parts.first_load
sites, entities = parts.sites, parts.entities
linking, unlinking, test_incidents = parts.linker, parts.unlinker, parts.test_incidents
starter, schedule = parts.replay_parts.starter, parts.replay_parts.schedule
documents = PageDocuments(parts.admin_page, parts.troubles, parts.access, VERSION, settings.region)
files = PageFiles(Path(__file__).with_name("static"), settings.all_js_url)

handler = EnvelopeFunction(settings.base_url)
calls = PageCalls(handler, parts.user, parts.administrators, parts.admin_page)


@handler.get("/page", query=None)
def get_page() -> Answer:
    """Get the page for a site's admin.

    Jira's first load of the page, in a frame. It holds no data; its script calls the routes below.
    """
    caller, _ = handler.caller(first_load)
    return files.page(caller.tenant)


@handler.get("/page/page.js")
def get_page_script() -> Answer:
    """Get the page's script."""
    return files.file("page.js")


@handler.get("/page/page.css")
def get_page_style() -> Answer:
    """Get the page's style."""
    return files.file("page.css")


@handler.get("/page/theme.css")
def get_page_theme() -> Answer:
    """Get the colours, sizes and fonts of Jira's light and dark themes."""
    return files.file("theme.css")


@handler.get("/page/forge.html")
def get_page_for_forge() -> Answer:
    """Get the page's HTML for Forge, which serves the page's files itself."""
    return files.file("forge.html")


@handler.get("/page/site")
def get_page_site() -> Answer:
    """Get all that the page shows at first."""
    tenant, _ = calls.by_admin()
    return json_answer(200, documents.site(tenant, schedule.now()))


@handler.get("/page/workspaces/{workspaceId}/entities", query=("state", "query", "limit", "after"))
def list_page_entities(workspace_id: str) -> Answer:
    """List the entities that the site is owed, or has refused.

    A page may hold fewer than `limit` without being the last.
    """
    tenant, request = calls.of_linked(workspace_id)
    state, query = unsettled_state(request), search_text(request)
    after, limit = page_cursor(request), page_limit(request)
    linked = sites.link(tenant.id, workspace_id)
    if linked is None:
        raise unknown_link()
    return json_answer(200, entities_page(entities.page(linked, state, query, after, limit)))


@handler.put("/page/workspaces/{workspaceId}/link")
def link_from_page(workspace_id: str) -> Answer:
    """Link a workspace that is offered to the site, in Jira too.

    Relay replays everything that the workspace holds to the site, and delivers every later
    submission to it. Linking again replays nothing.
    """
    tenant, request = calls.of_offered(workspace_id)
    linking.link(tenant.id, workspace_id, logo_url(request))
    return no_content()


@handler.delete("/page/workspaces/{workspaceId}/link")
def unlink_from_page(workspace_id: str) -> Answer:
    """Unlink a workspace from the site, in Jira too.

    Relay deletes everything of the workspace in Jira; the record stays.
    """
    tenant, _ = calls.of_linked(workspace_id)
    unlinking.unlink(tenant.id, workspace_id)
    return no_content()


@handler.post("/page/workspaces/{workspaceId}/replay")
def replay_from_page(workspace_id: str) -> Answer:
    """Deliver to the site what it is owed of a workspace, or everything again."""
    tenant, request = calls.of_linked(workspace_id)
    scope = ReplayScope(page_replay_request(request).what)
    [replay] = starter.request(tenant, scope, None, workspace_id)
    return json_answer(202, replay_document(replay, schedule.now()))


@handler.put("/page/workspaces/{workspaceId}/test-incident")
def put_test_incident(workspace_id: str) -> Answer:
    """Submit the test incident of a workspace.

    Every site that the workspace is linked to receives it, as any incident.
    """
    calls.of_linked(workspace_id)
    test_incidents.submit(workspace_id, handler.correlation_id)
    return json_answer(202, test_incident())


@handler.delete("/page/workspaces/{workspaceId}/test-incident")
def delete_test_incident(workspace_id: str) -> Answer:
    """Delete the test incident of a workspace."""
    calls.of_linked(workspace_id)
    test_incidents.delete(workspace_id, handler.correlation_id)
    return json_answer(202, test_incident())
