"""What the operations tool, the operator and Jira do with Relay, so that it writes an item of every
kind, and leaves messages in its queues."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from relay import VERSION
from relay.entities.model import EntityKey, Kind
from relay.record.attempts import AttemptStore
from relay.record.retention import Pass, RetentionStore
from relay.record.store import RecordStore
from relay.tenants.identity_choice import Identity, IdentityChoice, IdentityChoiceStore
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.links import LinkStore
from relay.tenants.migrations import Migration, MigrationState, MigrationStore
from relay.tenants.tenant import ForgeInstallation, Installation
from tests.golden.messages import newest_formats
from tests.golden.queued import DEAD, PAYMENTS, QUEUED, call_source, leave_messages, must
from tests.integration.catching_up_stage import DOWN, put_link, unlink
from tests.integration.relay_stage import JiraSite, Relay, install_from
from tests.integration.simulator_stage import Simulator
from tests.sources.samples import samples
from tests.support.entities import incident, review
from tests.support.forge import CLOUD_ID, INSTALLATION_ID
from tests.support.lambdas import Context, sqs_event
from tests.support.lifecycle import GLOBEX, Site

# With a retention that nothing in a dump ever reaches.
VARIABLES = {"COMPONENTS_MODULE": "on", "CONFIRM_PERCENT": "100", "RETENTION_DAYS": "36500"}
# The names of addresses in a dump.
ACME, OTHER, RELAY, HOOK = (
    f"https://{name}.golden.example" for name in ("acme", "other", "relay", "hook")
)
# Nothing listens there.
_NOWHERE = "http://127.0.0.1:9/hook"
SYSTEM_TOKEN = "a system token, as Forge sends one"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"the secret of payments' webhook!").decode()
SOURCE_SECRET = "the secret that PagerDuty shows"


@dataclass(frozen=True)
class Told:
    """`facts` are those of a dump; `places` are the addresses in it, by their names."""

    facts: dict[str, Any]
    places: dict[str, str]


def tell(relay: Relay, simulator: Simulator) -> Told:
    """Let all of it happen at a Relay with VARIABLES."""
    for workspace in ("payments", "search"):
        relay.put_workspace(workspace)
    acme = install_from(relay, simulator)
    _connect_other_sites(relay)
    other = _link_plainly(relay, simulator)
    for workspace in ("payments", "search"):
        put_link(relay, acme, workspace)
    relay.run_replays()
    erasures = _erase(relay, acme)
    _fill_catalog(relay)
    sources = _call_sources(relay)
    _submit(relay, acme)
    _associate(relay, acme)
    relay.submit("search", incidents=[incident("inc-1")])
    unlink(relay, acme, "search")
    must(relay.provider("PUT", f"/v1/sites/{acme.id}/offers/search"))
    _owe(relay, acme)
    leave_messages(relay, sources)
    _work_half_done(relay)
    facts = {
        "version": VERSION,
        "formats": newest_formats(),
        "queued": sorted(QUEUED),
        "dead": DEAD,
        "apiKeys": {"all": relay.api_key, "payments": relay.key_for("payments")},
        "sites": {"acme": _site_facts(acme), "other": _site_facts(other)},
        "sources": sources,
        "erasures": erasures,
        "answers": _answers(relay, acme, *erasures),
    }
    places = {
        ACME: acme.site.base_url,
        OTHER: other.site.base_url,
        RELAY: relay.gateway.url,
        HOOK: _NOWHERE,
    }
    return Told(facts, places)


def _site_facts(site: JiraSite) -> dict[str, str]:
    return {"id": site.id, "clientKey": site.site.client_key, "secret": site.site.secret}


def _connect_other_sites(relay: Relay) -> None:
    """A site under Forge, with a migration and a refused identity; one that is uninstalled; and two
    that proved to be one.
    """
    dynamodb, table = relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"]
    url = f"https://api.atlassian.com/ex/jira/{CLOUD_ID}"
    installation = ForgeInstallation(INSTALLATION_ID, CLOUD_ID, url, SYSTEM_TOKEN)
    token = LifecycleToken(int(time.time()), "the digest of Forge's token")
    forge = relay.tenants.install_forge(installation, token)
    migration = Migration("migration-1", "EU", MigrationState.STARTED, "2026-11-28T09:00:00+00:00")
    MigrationStore(dynamodb, table).put(forge.id, migration)
    choice = IdentityChoice(Identity.FORGE, "Jira refused Connect's token.", 1_796_000_000_000)
    IdentityChoiceStore(dynamodb, table).save(forge.id, choice)
    relay.install(GLOBEX)
    token = LifecycleToken(int(time.time()), "the digest of the uninstall's token")
    relay.tenants.uninstall(GLOBEX.client_key, token)
    site = Site("merged", "https://merged.golden.example", GLOBEX.secret)
    relay.install(site)
    installation = ForgeInstallation("installation-2", "cloud-2", url, SYSTEM_TOKEN)
    relay.tenants.install_forge(installation, LifecycleToken(int(time.time()), "another digest"))
    connect = Installation(
        site.client_key, site.base_url, site.secret, installation_id="installation-2"
    )
    relay.tenants.install(connect, LifecycleToken(int(time.time()), "the digest of the install's"))


def _link_plainly(relay: Relay, simulator: Simulator) -> JiraSite:
    """A site that shows ids without the workspace's key."""
    site = install_from(relay, simulator)
    table = relay.aws.environment["TENANTS_TABLE"]
    LinkStore(relay.aws.dynamodb, table, plain_ids=True).link(site.id, "search")
    return site


def _erase(relay: Relay, site: JiraSite) -> list[str]:
    """A workspace and a site: both erasures wait for deliveries under way. Returns the paths of
    their progress.
    """
    relay.put_workspace("retired")
    put_link(relay, site, "retired")
    relay.run_replays()
    relay.submit("retired", incidents=[incident("inc-1")])
    must(relay.provider("DELETE", "/v1/workspaces/retired?erase=true"))
    relay.run_replays()
    left = relay.install(Site("left", "https://left.golden.example", GLOBEX.secret))
    token = LifecycleToken(int(time.time()), "the digest of the leaving site's token")
    relay.tenants.uninstall("left", token)
    must(relay.provider("DELETE", f"/v1/sites/{left.id}"))
    return ["/v1/workspaces/retired/erasure", f"/v1/sites/{left.id}/erasure"]


def _fill_catalog(relay: Relay) -> None:
    container = {
        "name": "Crème Brûlée Checkout",
        "url": "https://ops.example.com/services/checkout",
        "lastUpdatedDate": "2026-01-30T08:00:00Z",
        "tier": "Tier 1",
    }
    must(relay.provider("PUT", f"{PAYMENTS}/containers/checkout-api", container))
    relay.run_queue()
    webhook = {"url": _NOWHERE, "secret": WEBHOOK_SECRET}
    must(relay.provider("PUT", f"{PAYMENTS}/webhook", webhook))
    must(relay.provider("POST", f"{PAYMENTS}/webhook/test"))


def _call_sources(relay: Relay) -> dict[str, str]:
    """Two calls that are taken, and one that is refused; returns the paths of their addresses."""
    documents: dict[str, Any] = {
        "alertmanager": {"settings": {"severities": {"critical": "P1"}}},
        "pagerduty": {"secret": SOURCE_SECRET},
        "cloudwatch": {},
    }
    paths = {}
    for kind, document in documents.items():
        answer = relay.provider("PUT", f"{PAYMENTS}/sources/{kind}", {"kind": kind} | document)
        paths[kind] = must(answer)["url"].removeprefix(relay.gateway.url)
    call_source(relay, paths["alertmanager"], samples("alertmanager")["firing"])
    headers = {"content-type": "application/json", "x-pagerduty-signature": "v1=wrong"}
    assert relay.call("POST", paths["pagerduty"], b"{}", headers).status == 401
    event = sqs_event(json.dumps(samples("cloudwatch")["alarm"]))
    relay.gateway.functions["source_events"].handler(event, Context())
    relay.run_queue()
    return paths


def _submit(relay: Relay, site: JiraSite) -> None:
    """States that the site accepts, refuses, does not know the project of, and deletes."""
    refused = {"kind": "refuse entity", "pattern": "refused$", "message": "Too long."}
    at_fault = {"kind": "error", "status": 403, "text": "at-fault"}
    site.simulator.fail(site.name, refused, at_fault)
    unknown = [{"associationType": "issueIdOrKeys", "values": ["NONE-1"]}]
    relay.submit(
        "payments",
        properties={"team": "red"},
        providerMetadata={"product": "Operations"},
        incidents=[
            incident("inc-1"),
            incident("inc-gone"),
            incident("inc-leaving"),
            incident("inc-refused"),
            incident("inc-elsewhere", associations=unknown),
            incident("inc-at-fault"),
            incident("inc-removed", status="resolved"),
        ],
        reviews=[review("rev-1")],
    )
    relay.submit("payments", incidents=[incident("inc-1", 2, status="resolved")])
    must(relay.provider("DELETE", f"{PAYMENTS}/incidents/inc-gone"))
    imported = {"kind": "incident", "id": "inc-imported", "updateSequenceNumber": 7}
    deletions = [imported | {"deletedAt": "2026-01-31T09:45:00.123Z"}]
    must(relay.provider("POST", f"{PAYMENTS}/deletions", {"deletions": deletions}))
    relay.run_queue()


def _associate(relay: Relay, site: JiraSite) -> None:
    """Two issues with an incident, one of which does not stay so."""
    at_site = relay.at_site("inc-1")
    entity = {"ari": f"ari:cloud:jira:0a1b2c3d:incident/activation/4e5f/{at_site}", "id": at_site}
    issues = [
        {
            "ati": "ati:cloud:jira:issue",
            "ari": f"ari:cloud:jira:0a1b2c3d:issue/{issue}",
            "cloudId": "0a1b2c3d",
            "id": issue,
        }
        for issue in ("10068", "10069")
    ]
    for issue in issues:
        body = {"entity": entity, "associatedWith": issue}
        assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204
    body = {"entity": entity, "disassociatedFrom": issues[1]}
    assert relay.jira(site.site, "PUT", "/entities/disassociated", body).status == 204


def _owe(relay: Relay, site: JiraSite) -> None:
    """The site is down: a deletion, two entities and a component are owed."""
    site.simulator.fail(site.name, DOWN | {"operations": ["submitEntity", "deleteIncidentById"]})
    must(relay.provider("DELETE", f"{PAYMENTS}/incidents/inc-leaving"))
    relay.run_queue()
    relay.submit("payments", incidents=[incident("inc-owed")], reviews=[review("rev-owed")])
    container = {
        "name": "Search",
        "url": "https://ops.example.com/services/search",
        "lastUpdatedDate": "2026-01-31T08:00:00Z",
    }
    must(relay.provider("PUT", f"{PAYMENTS}/containers/search", container))
    relay.run_queue()
    site.simulator.fail(site.name)


def _work_half_done(relay: Relay) -> None:
    """What a submitter and a sweeper note that are cut off."""
    dynamodb, table = relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"]
    AttemptStore(dynamodb, table).note({"a-message": 2})
    started_at = int(time.time() * 1000)
    retention = RetentionStore(dynamodb, table)
    heads = RecordStore(dynamodb, table).heads("payments")
    closed = [head for head in heads if head.key.id == "inc-removed"]
    assert len(retention.remove("payments", closed, started_at)) == 1
    after = EntityKey(Kind.INCIDENT, "inc-1")
    retention.save_pass(Pass(started_at, "payments", after, is_done=False))


def _answers(relay: Relay, site: JiraSite, *more: str) -> dict[str, Any]:
    """What the API answers for what is stored, by path."""
    paths = (
        "/v1/workspaces",
        PAYMENTS,
        f"{PAYMENTS}/containers",
        f"{PAYMENTS}/entities?limit=100",
        f"{PAYMENTS}/export",
        f"{PAYMENTS}/incidents/inc-1",
        f"{PAYMENTS}/incidents/inc-at-fault",
        f"{PAYMENTS}/reviews/rev-1",
        f"{PAYMENTS}/sites",
        f"{PAYMENTS}/sources",
        f"{PAYMENTS}/sources/alertmanager/deliveries",
        f"{PAYMENTS}/sources/pagerduty/deliveries",
        f"{PAYMENTS}/submissions",
        f"{PAYMENTS}/webhook",
        "/v1/sites",
        f"/v1/sites/{site.id}",
        f"/v1/sites/{site.id}/replay",
        *more,
    )
    return {path: must(relay.provider("GET", path)) for path in paths}
