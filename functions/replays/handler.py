"""Replays: started and listed by the operations tool."""

from relay.edge.answer import Answer, json_answer
from relay.edge.documents import checked_workspace_id
from relay.edge.http import HttpFunction
from relay.edge.own_sites import OwnSites
from relay.edge.query import page_limit, page_start
from relay.edge.site_documents import replay_page, replay_request
from relay.edge.wiring import ReplayParts, TenantParts
from relay.edge.workspace_calls import ProviderCalls
from relay.identity.api_keys import ApiKeyVerifier
from relay.settings import ReplaysSettings

settings = ReplaysSettings.from_environment()
parts = TenantParts(settings)
replay_parts = ReplayParts(parts, settings.replays_queue)
starter, schedule = replay_parts.starter, replay_parts.schedule
tenants, replays = parts.tenants, parts.replays
own_sites = OwnSites(parts)

handler = HttpFunction(settings.base_url)
calls = ProviderCalls(handler, ApiKeyVerifier(parts.dynamodb, settings.api_keys_table))


@handler.post("/v1/sites/{site}/replay")
def replay(site: str) -> Answer:
    """Deliver to a site what it is owed, or everything again.

    Relay starts replays automatically for what a site could not accept, when a workspace is linked,
    and when a site installs the app again; this call is for all other cases. `all` also delivers
    what the site has already accepted, for example after the site lost data. A replay replaces the
    workspace's earlier one at this site, so repeating the call is safe.
    """
    request = calls.by_key_for_all()
    tenant, asked = tenants.existing(site), replay_request(request)
    started = starter.request(tenant, asked.wanted, asked.since, asked.workspaceId)
    return json_answer(202, replay_page(started, schedule.now()))


@handler.get("/v1/sites/{site}/replay", query=("limit", "after"))
def list_replays(site: str) -> Answer:
    """List a site's replays and their progress.

    A key for some workspaces sees only their replays.
    """
    caller, request = calls.by_any_key()
    limit, after = page_limit(request), page_start(request)
    after = checked_workspace_id(after) if after else ""
    if caller.workspaces is not None:
        now = schedule.now()
        return json_answer(200, own_sites.replays(site, caller.workspaces, now, after, limit))
    found = replays.of_tenant(tenants.existing(site).id, after, limit)
    return json_answer(200, replay_page(found, schedule.now(), limit))
