"""Replays, as the operations tool asks for them."""

from relay.edge.answer import Answer, json_answer
from relay.edge.documents import checked_workspace_id
from relay.edge.http import HttpFunction
from relay.edge.own_sites import OwnSites
from relay.edge.query import page_limit, page_start
from relay.edge.site_documents import replay_page, replay_request
from relay.edge.wiring import ReplayParts, TenantParts
from relay.identity.api_keys import ApiKeyVerifier
from relay.settings import ReplaysSettings

settings = ReplaysSettings.from_environment()
parts = TenantParts(settings)
replayer = ReplayParts(parts, settings.replays_queue)
own_sites = OwnSites(parts)
api_key = ApiKeyVerifier(parts.dynamodb, settings.api_keys_table)

handler = HttpFunction(settings.base_url)


@handler.post("/v1/sites/{site}/replay")
def replay(site: str) -> Answer:
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    tenant, asked = parts.tenants.existing(site), replay_request(request)
    begun = replayer.starter.request(tenant, asked.wanted, asked.since, asked.workspaceId)
    return json_answer(202, replay_page(begun, replayer.schedule.now()))


@handler.get("/v1/sites/{site}/replay", query=("after", "limit"))
def show_replays(site: str) -> Answer:
    """For a key for some workspaces, of these alone."""
    caller, request = handler.caller(api_key)
    limit, after = page_limit(request), page_start(request)
    after = checked_workspace_id(after) if after else ""
    if caller.workspaces is not None:
        now = replayer.schedule.now()
        return json_answer(200, own_sites.replays(site, caller.workspaces, now, after, limit))
    found = parts.replays.of_tenant(parts.tenants.existing(site).id, after, limit)
    return json_answer(200, replay_page(found, replayer.schedule.now(), limit))
