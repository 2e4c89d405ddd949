"""This version reads, delivers, replays and deletes what each released version has stored, and
handles the messages that it has queued.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from relay.record.retention import RetentionStore
from relay_cli import letters
from tests.golden.dump import (
    facts_of,
    load,
    versions,
)
from tests.golden.queued import PAYMENTS
from tests.golden.story import (
    ACME,
    HOOK,
    OTHER,
    RELAY,
    SOURCE_SECRET,
    SYSTEM_TOKEN,
    VARIABLES,
    WEBHOOK_SECRET,
)
from tests.integration.catching_up_stage import ask, debts, resume, states, unlink
from tests.integration.cli_stage import Cli, empty_home, queue_outputs, write_stack_file
from tests.integration.relay_stage import JiraSite, Relay, Start, install_there, new_name
from tests.integration.replays_stage import received
from tests.integration.simulator_stage import Simulator
from tests.integration.webhook_stage import Hook, https_hook
from tests.sources.samples import samples
from tests.support.entities import incident
from tests.support.forge import INSTALLATION_ID
from tests.support.lambdas import Context, sqs_event
from tests.support.lifecycle import Site

pytestmark = pytest.mark.usefixtures("every_shard")

NEWEST = versions()[-1]
# What the story in `tests.golden.story` leaves, by the operations tool's ids.
RECORDED = {"inc-1", "inc-refused", "inc-elsewhere", "inc-at-fault", "inc-owed", "rev-owed"}


@dataclass(frozen=True)
class Stage:
    """A Relay on a dump. `install` has the site that the dump knows call Relay, as an upgrade of
    the app does: its clientKey and its secret are the ones it had.
    """

    relay: Relay
    facts: dict[str, Any]
    simulator: Simulator
    site: Site
    site_name: str
    hook: Hook

    def install(self) -> JiraSite:
        return install_there(self.relay, self.simulator, self.site_name)


@pytest.fixture(params=versions())
def stage(request: pytest.FixtureRequest, start: Start, simulator: Simulator) -> Iterator[Stage]:
    known = facts_of(request.param, {})["sites"]
    documents = {
        name: simulator.create(new_name(), clientKey=site["clientKey"], sharedSecret=site["secret"])
        for name, site in known.items()
    }
    relay = start(simulator=simulator, **VARIABLES)
    with https_hook(None) as hook:
        places = {
            ACME: documents["acme"]["baseUrl"],
            OTHER: documents["other"]["baseUrl"],
            RELAY: relay.gateway.url,
            HOOK: hook.url,
        }
        facts = load(relay.aws, request.param, places)
        relay.api_key = facts["apiKeys"]["all"]
        acme = documents["acme"]
        site = Site(acme["clientKey"], acme["baseUrl"], acme["sharedSecret"])
        yield Stage(relay, facts, simulator, site, acme["name"], hook)


def differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """The places at which an answer lacks what it had. More fields are no difference."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name, value in before.items():
            yield from differences(value, now.get(name), f"{path}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif before != now:
        yield f"{path}: {before!r} was, {now!r} is"


def test_the_api_answers_what_it_answered(stage: Stage) -> None:
    for path, before in stage.facts["answers"].items():
        answer = stage.relay.provider("GET", path)
        assert answer.status == 200, (path, answer.body)
        assert not list(differences(before, answer.json(), path))


def test_api_keys_are_known_with_their_workspaces(stage: Stage) -> None:
    key = stage.facts["apiKeys"]["payments"]
    assert stage.relay.provider("GET", PAYMENTS, key=key).status == 200
    assert stage.relay.provider("GET", "/v1/workspaces/search", key=key).status == 403


def test_every_kind_of_secret_can_be_read(stage: Stage) -> None:
    """A site's is that of its token; a webhook's is in `test_queued_notices_are_sent`."""
    found = stage.relay.jira(stage.site, "GET", "/containers/search?searchQuery=brulee")
    assert found.status == 200, found.body
    assert "checkout-api" in found.body
    refused = stage.relay.jira(
        stage.site.with_secret("x" * 43), "GET", "/containers/search?searchQuery=brulee"
    )
    assert refused.status == 401

    body = b'{"event": {}}'
    headers = {"content-type": "application/json"}
    signature = hmac.new(SOURCE_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers["x-pagerduty-signature"] = f"v1={signature}"
    source = stage.facts["sources"]["pagerduty"]
    assert stage.relay.call("POST", source, body, headers).status in (202, 400)

    tenant = stage.relay.tenants.find_by_installation_id(INSTALLATION_ID)
    assert tenant
    assert stage.relay.tenants.system_token_of(tenant) == SYSTEM_TOKEN


def test_what_is_owed_and_what_is_queued_arrives(stage: Stage) -> None:
    relay, site = stage.relay, stage.install()

    assert relay.run_queue() == []
    resume(relay)

    held = site.held("incident") | site.held("review")
    assert {"inc-owed", "rev-owed", "inc-at-fault"} | set(stage.facts["queued"]) <= held.keys()
    assert "rev-1" not in held
    assert states(relay)["inc-leaving"] == "deleted"
    assert debts(relay, site) == 0
    # None but that of the dump.
    assert len(relay.dead_letters()) == 1
    containers = relay.provider("GET", f"{PAYMENTS}/containers").json()["containers"]
    assert {"ledger", "queued-api"} <= {one["id"] for one in containers}
    assert any(path.endswith("/devopscomponents/1.0/bulk") for _, path in site.calls())


def test_tasks_of_replays_are_carried_out(stage: Stage) -> None:
    """A sample is read back, and the unlinked workspace's data deleted once more."""
    site = stage.install()
    stage.relay.let_time_pass()

    assert stage.relay.run_replays() > 0

    calls = site.calls()
    assert any(method == "DELETE" and "/bulkByProperties" in path for method, path in calls)
    assert any(method == "GET" and "/incidents/" in path for method, path in calls)


def test_queued_notices_are_sent(stage: Stage) -> None:
    queue = stage.relay.aws.environment["NOTICES_QUEUE"]
    bodies = [message["Body"] for message in received(stage.relay.aws, queue)]
    assert bodies

    stage.relay.gateway.functions["webhooks"].handler(sqs_event(*bodies), Context())

    assert len(stage.hook.received) == len(bodies)
    for call in stage.hook.received:
        Webhook(WEBHOOK_SECRET).verify(call.body, call.headers)


def test_a_dead_letter_is_shown_and_delivered_once_it_is_redriven(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    relay, site, dead = stage.relay, stage.install(), stage.facts["dead"]
    empty_home(monkeypatch, tmp_path)
    monkeypatch.setattr(letters, "WAIT_SECONDS", 0)
    write_stack_file(outputs=queue_outputs(relay.aws))
    cli = Cli(relay.gateway.url, relay.api_key)

    [listed] = cli("dlq", "list", "--json").json()["letters"]
    assert listed["workspaceId"] == "payments"
    assert listed["reason"]
    assert dead in cli("dlq", "show", listed["id"]).out
    cli("dlq", "redrive", "--all")

    assert relay.run_queue() == []
    assert dead in site.held("incident")
    assert relay.dead_letters() == []


def test_a_replay_delivers_everything_in_the_record(stage: Stage) -> None:
    relay, site = stage.relay, stage.install()
    relay.run_queue()

    ask(relay, site, what="all")
    resume(relay)

    held = site.held("incident") | site.held("review")
    assert (RECORDED | set(stage.facts["queued"])) - {"inc-elsewhere"} <= held.keys()
    assert not {"inc-gone", "rev-1"} & held.keys()
    assert held["inc-1"]["status"] == "resolved"
    assert site.products("incident")["inc-refused"] == "Operations"
    assert states(relay)["inc-1"] == "accepted"


def test_newer_states_win_and_older_ones_do_not(stage: Stage) -> None:
    relay, site = stage.relay, stage.install()
    relay.submit("payments", incidents=[incident("inc-1", 1, summary="Old")])
    relay.submit("payments", incidents=[incident("inc-gone", 9, summary="Again")])
    relay.submit("payments", incidents=[incident("inc-1", 3, summary="New")])
    resume(relay)
    held = site.held("incident")
    assert (held["inc-1"]["summary"], held["inc-gone"]["summary"]) == ("New", "Again")


def test_of_what_the_retention_has_removed_only_newer_states_are_recorded(stage: Stage) -> None:
    relay, _ = stage.relay, stage.install()
    for sequence, is_recorded in ((1, False), (2, True)):
        relay.submit("payments", incidents=[incident("inc-removed", sequence)])
        resume(relay)
        assert ("inc-removed" in states(relay)) == is_recorded


def test_everything_can_be_deleted(stage: Stage) -> None:
    relay, site = stage.relay, stage.install()
    relay.run_queue()
    resume(relay)
    for path in (
        "incidents/inc-1",
        "containers/checkout-api",
        "sources/alertmanager",
        "sources/pagerduty",
        "sources/cloudwatch",
        "webhook",
    ):
        assert relay.provider("DELETE", f"{PAYMENTS}/{path}").status in (202, 204), path
    relay.run_queue()
    assert "inc-1" not in site.held("incident")
    searched = relay.jira(stage.site, "GET", "/containers/search?searchQuery=brulee")
    assert "checkout-api" not in searched.body
    source = stage.facts["sources"]["alertmanager"]
    body = samples("alertmanager")["firing"]
    assert relay.call("POST", source, body, {"content-type": "application/json"}).status == 401

    unlink(relay, site)
    assert site.at_site("incident") == site.at_site("review") == {}


def test_erasures_under_way_are_finished(stage: Stage) -> None:
    relay = stage.relay
    stage.install()
    assert "retired" in relay.stored()

    relay.let_time_pass()
    relay.sweep()

    for path in stage.facts["erasures"]:
        assert relay.provider("GET", path).json()["stage"] == "done", path
    assert "retired" not in relay.stored()


def test_a_pass_of_the_retention_continues(stage: Stage) -> None:
    aws = stage.relay.aws
    store = RetentionStore(aws.dynamodb, aws.environment["RECORD_TABLE"])
    before = store.last_pass()
    assert not before.is_done

    stage.relay.sweep()

    after = store.last_pass()
    assert after.is_done
    assert after.started_at == before.started_at
