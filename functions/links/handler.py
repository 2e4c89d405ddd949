"""Sites, and the workspaces linked to them, in Relay and in Jira."""

from typing import TYPE_CHECKING

from relay.catalog.erasures import ErasureStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import logo_url
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.http import HttpFunction
from relay.edge.own_sites import OwnSites, WorkspaceSites
from relay.edge.query import flag, page_limit, page_start
from relay.edge.site_documents import SiteDocuments, move_request, site_erasure_document
from relay.edge.unlink_wiring import unlinker
from relay.edge.wiring import ReplayParts, SiteParts
from relay.edge.workspace_calls import WorkspaceCalls
from relay.errors import NotFound
from relay.identity.api_keys import ApiKeyVerifier
from relay.provider.erasing import ErasureSchedule
from relay.provider.linking import WorkspaceLinker
from relay.provider.site_erasure import SiteForgetter
from relay.record.debts import DebtStore
from relay.settings import LinksSettings
from relay.tenants.generation_minimum import GenerationMinimum

if TYPE_CHECKING:
    from relay.edge.shapes.sites import Link, Moved

settings = LinksSettings.from_environment()
parts = SiteParts(settings)
tenants = parts.tenants
replay_parts = ReplayParts(parts, settings.replays_queue)
schedule = replay_parts.schedule
workspaces = WorkspaceStore(parts.dynamodb, settings.catalog_table)
linking = WorkspaceLinker(parts.tenants, parts.links, workspaces, parts.sites, replay_parts.starter)
unlinking = unlinker(parts, replay_parts, settings.record_table)
documents = SiteDocuments(parts, settings.region)
own_sites = OwnSites(parts)
workspace_sites = WorkspaceSites(
    parts,
    parts.snapshots,
    DebtStore(parts.dynamodb, settings.record_table),
)
erasures = ErasureStore(parts.dynamodb, settings.catalog_table)
erasing = ErasureSchedule(erasures, replay_parts.queue)
forgetting = SiteForgetter(
    tenants, GenerationMinimum(parts.dynamodb, settings.tenants_table), parts.sites, erasures
)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(handler, ApiKeyVerifier(parts.dynamodb, settings.api_keys_table), workspaces)


@handler.get("/v1/sites", query=("limit", "after"))
def list_sites() -> Answer:
    """List the sites that have, or had, the app.

    A key for some workspaces sees only the sites that these are linked to.
    """
    caller, request = calls.by_any_key()
    after, limit = page_start(request), page_limit(request)
    if caller.workspaces is not None:
        return json_answer(200, own_sites.page(caller.workspaces, after, limit))
    return json_answer(200, documents.page(after, limit))


@handler.get("/v1/sites/{site}")
def get_site(site: str) -> Answer:
    """Get a site.

    For a key for some workspaces, a site that none of them is linked to does not exist.
    """
    caller, _ = calls.by_any_key()
    if caller.workspaces is not None:
        return json_answer(200, own_sites.of(site, caller.workspaces))
    return json_answer(200, documents.of(tenants.existing(site)))


@handler.delete("/v1/sites/{site}", query=("gone",))
def forget_site(site: str) -> Answer:
    """Forget a site that has uninstalled the app.

    Relay deletes everything of the site in its own tables; the record of its workspaces stays. From
    the call on, the site does not exist; if it installs the app again, it is a new site. Nothing
    stops it. A site that has the app is answered 409. With `gone`, a site is forgotten that never
    reported an uninstall, such as one that Atlassian has deleted; it is answered 409 if its Jira
    still lists linked workspaces.
    """
    request = calls.by_key_for_all()
    started = forgetting.forget(site, erasing.now(), flag(request, "gone"))
    for one in started:
        erasing.send(one)
    return json_answer(202, site_erasure_document(started[0]))


@handler.get("/v1/sites/{site}/erasure")
def get_site_erasure(site: str) -> Answer:
    """Get the progress of a site's erasure.

    For two months after it is done, it is answered with the stage `done`.
    """
    calls.by_key_for_all()
    erasure = forgetting.last(site)
    if erasure is None:
        tenants.existing(site)
        raise NotFound(f"The site {site!r} is not erased.", code="unknown_erasure")
    return json_answer(200, site_erasure_document(erasure))


@handler.get("/v1/sites/{site}/workspaces")
def list_links(site: str) -> Answer:
    """List a site's links, in Relay and in Jira.

    A key for some workspaces sees only these.
    """
    caller, _ = calls.by_any_key()
    own = caller.workspaces
    if own is None:
        return json_answer(200, linking.links_of(site))
    own_sites.linked(site, own)
    links = linking.links_of(site)
    return json_answer(
        200, {kind: [one for one in ids if one in own] for kind, ids in links.items()}
    )


@handler.get("/v1/workspaces/{workspaceId}/sites", query=("limit", "after"))
def list_workspace_sites(workspace_id: str) -> Answer:
    """List the sites that a workspace is linked to, and what each is owed.

    Relay does not call Jira for this, so it is answered during a site's outage, too.
    """
    request = calls.about(workspace_id)
    after, limit = page_start(request), page_limit(request)
    now = schedule.now()
    return json_answer(200, workspace_sites.page(workspace_id, now, after, limit))


@handler.put("/v1/sites/{site}/workspaces/{workspaceId}")
def link(site: str, workspace_id: str) -> Answer:
    """Link a workspace to a site, in Jira too.

    Relay replays everything that the workspace holds to the site, and delivers every later
    submission to it. Linking again replays nothing.
    """
    request = calls.by_key_for_all(workspace_id)
    linking.link(site, workspace_id, logo_url(request))
    return link_answer(site, workspace_id)


@handler.delete("/v1/sites/{site}/workspaces/{workspaceId}")
def unlink(site: str, workspace_id: str) -> Answer:
    """Unlink a workspace from a site, in Jira too.

    Relay deletes everything of the workspace in Jira, at once and again after three minutes; the
    record stays. After a 502 or 503 the two are still linked: repeat the call. Unlinking a
    workspace that is not linked succeeds.
    """
    calls.by_key_for_all(workspace_id)
    unlinking.unlink(site, workspace_id)
    return no_content()


@handler.post("/v1/sites/{site}/move")
def move_links(site: str) -> Answer:
    """Move a site's links to the site that replaces it.

    For a site that was imported and is now a new installation (`supersededBy`). Relay links the
    workspaces in Jira at the new site and replays everything that they hold; it changes nothing in
    Jira at the old site. If the call is interrupted, repeat it.
    """
    request = calls.by_key_for_all()
    moved: Moved = {"moved": linking.move(site, move_request(request).to, logo_url(request))}
    return json_answer(200, moved)


@handler.put("/v1/sites/{site}/offers/{workspaceId}")
def offer(site: str, workspace_id: str) -> Answer:
    """Let a site's admin find a workspace in Jira.

    The admin may also link it, on the page inside Jira. Nothing of the workspace is delivered to
    the site before it is linked.
    """
    calls.by_key_for_all(workspace_id)
    linking.offer(site, workspace_id)
    return link_answer(site, workspace_id)


@handler.delete("/v1/sites/{site}/offers/{workspaceId}")
def withdraw_offer(site: str, workspace_id: str) -> Answer:
    """Withdraw an offer."""
    calls.by_key_for_all(workspace_id)
    linking.withdraw_offer(site, workspace_id)
    return no_content()


def link_answer(site: str, workspace_id: str) -> Answer:
    answer: Link = {"site": site, "workspaceId": workspace_id}
    return json_answer(200, answer)
