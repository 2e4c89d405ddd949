"""Sites, and the workspaces linked to them: kept here and in Jira alike."""

from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import logo_url
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.documents import checked_workspace_id
from relay.edge.http import HttpFunction
from relay.edge.own_sites import OwnSites, WorkspaceSites
from relay.edge.query import page_limit, page_start
from relay.edge.site_documents import SiteDocuments, move_request
from relay.edge.wiring import ReplayParts, SiteParts, linker, unlinker
from relay.edge.workspace_calls import WorkspaceCalls
from relay.identity.api_keys import ApiKeyVerifier
from relay.record.debts import DebtStore
from relay.settings import LinksSettings

settings = LinksSettings.from_environment()
parts = SiteParts(settings)
api_key = ApiKeyVerifier(parts.dynamodb, settings.api_keys_table)
replay_parts = ReplayParts(parts, settings.replays_queue)
workspaces = WorkspaceStore(parts.dynamodb, settings.catalog_table)
linking = linker(parts, replay_parts, settings.catalog_table)
unlinking = unlinker(parts, replay_parts)
documents = SiteDocuments(parts, settings.region)
own_sites = OwnSites(parts)
workspace_sites = WorkspaceSites(
    parts,
    parts.snapshots,
    DebtStore(parts.dynamodb, settings.record_table),
)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(handler, api_key, workspaces)


@handler.get("/v1/sites", query=("after", "limit"))
def list_sites() -> Answer:
    """For a key for some workspaces, those that these are linked to."""
    caller, request = handler.caller(api_key)
    after, limit = page_start(request), page_limit(request)
    if caller.workspaces is not None:
        return json_answer(200, own_sites.page(caller.workspaces, after, limit))
    return json_answer(200, documents.page(after, limit))


@handler.get("/v1/sites/{site}")
def get_site(site: str) -> Answer:
    caller, _ = handler.caller(api_key)
    if caller.workspaces is not None:
        return json_answer(200, own_sites.of(site, caller.workspaces))
    return json_answer(200, documents.of(parts.tenants.existing(site)))


@handler.get("/v1/sites/{site}/workspaces")
def list_links(site: str) -> Answer:
    """For a key for some workspaces, of these alone."""
    caller, _ = handler.caller(api_key)
    own = caller.workspaces
    if own is None:
        return json_answer(200, linking.links_of(site))
    own_sites.linked(site, own)
    links = linking.links_of(site)
    return json_answer(
        200, {kind: [one for one in ids if one in own] for kind, ids in links.items()}
    )


@handler.get("/v1/workspaces/{workspaceId}/sites", query=("after", "limit"))
def list_sites_of_workspace(workspace_id: str) -> Answer:
    request = calls.about(workspace_id)
    after, limit = page_start(request), page_limit(request)
    now = replay_parts.schedule.now()
    return json_answer(200, workspace_sites.page(workspace_id, now, after, limit))


@handler.put("/v1/sites/{site}/workspaces/{workspaceId}")
def link(site: str, workspace_id: str) -> Answer:
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    linking.link(site, checked_workspace_id(workspace_id), logo_url(request))
    return json_answer(200, {"site": site, "workspaceId": workspace_id})


@handler.delete("/v1/sites/{site}/workspaces/{workspaceId}")
def unlink(site: str, workspace_id: str) -> Answer:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    # Jira takes ids with commas between: one of ours must not read as two of them.
    unlinking.unlink(site, checked_workspace_id(workspace_id))
    return no_content()


@handler.post("/v1/sites/{site}/move")
def move(site: str) -> Answer:
    """To the installation that took this one's place, such as after a site import."""
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    moved = linking.move(site, move_request(request).to, logo_url(request))
    return json_answer(200, {"moved": moved})


@handler.put("/v1/sites/{site}/offers/{workspaceId}")
def offer(site: str, workspace_id: str) -> Answer:
    """The site's admin then finds the workspace in Jira; nothing of it is delivered there."""
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    linking.offer(site, checked_workspace_id(workspace_id))
    return json_answer(200, {"site": site, "workspaceId": workspace_id})


@handler.delete("/v1/sites/{site}/offers/{workspaceId}")
def withdraw_offer(site: str, workspace_id: str) -> Answer:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    linking.withdraw_offer(site, checked_workspace_id(workspace_id))
    return no_content()
