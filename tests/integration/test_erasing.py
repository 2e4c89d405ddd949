"""Erasing a workspace leaves nothing of it, in Jira or in a table, and touches no other."""

import contextlib
import itertools
import time

import pytest

from relay import keys
from relay.entities.model import Kind
from relay.identity.api_keys import ApiKeys
from tests.integration.erasing_stage import (
    ERASED,
    FIRING,
    OTHER,
    PATH,
    associate,
    change,
    erase,
    erasure,
    fill,
    go_on,
    held,
    items,
    key_of,
    link,
    linked_in_jira,
    queued,
    restore,
    run_notices,
    snapshot,
    tables,
    unlink,
)
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    relay = start(ERASED, OTHER, simulator=simulator, COMPONENTS_MODULE="on")
    for workspace in (ERASED, OTHER):
        fill(relay, workspace)
    return relay


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    """Both workspaces are linked to it, with the same ids."""
    site = install_from(relay, simulator)
    for workspace in (ERASED, OTHER):
        link(relay, site, workspace)
        associate(relay, site, workspace)
    return site


def test_nothing_is_left_of_the_workspace_and_all_of_the_others(
    start: Start, simulator: Simulator
) -> None:
    relay = start(OTHER, simulator=simulator, COMPONENTS_MODULE="on")
    fill(relay, OTHER)
    site, elsewhere, left = (install_from(relay, simulator) for _ in range(3))
    for one in (site, elsewhere, left):
        link(relay, one, OTHER)
    associate(relay, site, OTHER)
    both = relay.key_for(ERASED, OTHER)
    relay.let_time_pass()
    relay.sweep()
    relay.run_queue()
    run_notices(relay)
    before, others = snapshot(relay), key_of(relay, OTHER)
    shown = held(site, others)

    relay.put_workspace(ERASED)
    fill(relay, ERASED)
    for one in (site, elsewhere, left):
        link(relay, one)
        associate(relay, one, ERASED)
    unlink(relay, left)
    assert relay.provider("PUT", f"/v1/sites/{left.id}/offers/{ERASED}").status == 200
    # What a site can't accept is a debt.
    elsewhere.simulator.fail(elsewhere.name, {"kind": "suspended"})
    relay.submit(ERASED, incidents=[incident("owed")])
    elsewhere.simulator.fail(elsewhere.name)
    ours, alone = key_of(relay), relay.key_for(ERASED)
    assert held(site, ours) > 3
    assert len(snapshot(relay) - before) > 60

    erase(relay)
    assert go_on(relay) == "done"
    relay.run_queue()
    assert run_notices(relay) == []

    changed = snapshot(relay) ^ before
    # The note by a hash of the id, and the key for both.
    assert len([one for one in changed if "erased#" in one]) == 1
    assert [one for one in changed if "erased#" not in one and "'hash'" not in one] == []
    assert items(relay, ERASED, ours) == []
    assert queued(relay) == []
    for one in (site, elsewhere, left):
        assert (held(one, ours), held(one, others)) == (0, shown)
        assert linked_in_jira(one) == [OTHER]
    assert relay.provider("GET", f"{PATH}/erasure", key=alone).status == 401
    assert relay.provider("GET", f"/v1/workspaces/{OTHER}", key=both).status == 200
    assert relay.provider("GET", f"{PATH}/erasure", key=both).status == 403
    assert erasure(relay)["deleted"] > 60
    assert erasure(relay)["unreached"] == []


def test_it_is_finished_after_any_failed_aws_call(
    start: Start, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One shard and one payload can fail as many can.
    monkeypatch.setattr(keys, "SHARDS", 1)
    relay = start(ERASED, OTHER, simulator=simulator)
    fill(relay, ERASED, {"alarm": FIRING["alarm"]})
    site = install_from(relay, simulator)
    link(relay, site, OTHER)
    relay.submit(OTHER, incidents=[incident()])
    link(relay, site)
    associate(relay, site, ERASED)
    ours, others = key_of(relay), key_of(relay, OTHER)
    shown, before = held(site, others), tables(relay.aws)
    with aws_calls() as calls:
        for place in itertools.count():
            restore(relay, before)
            erase(relay)
            made = 0
            for _ in range(2):
                relay.let_time_pass()
                begun = len(calls.names)
                calls.fail(unreachable(), at=place - made)
                # Lambda reports the failure, and the message returns.
                with contextlib.suppress(Exception):
                    relay.run_replays()
                calls.no_more_trouble()
                made += len(calls.names) - begun
                if made > place:
                    break
            has_failed = made > place
            assert go_on(relay) == "done", place
            assert items(relay, ERASED, ours) == [], place
            if not has_failed:
                break
    assert place > 40
    assert held(site, others) == shown
    assert held(site, ours) == 0


def test_every_call_about_it_is_refused_meanwhile(relay: Relay, site: JiraSite) -> None:
    workspace = {"name": "Again", "url": "https://ops.example.com"}
    erase(relay)
    refused = [
        relay.provider("POST", f"{PATH}/submissions", {"incidents": [incident("new")]}),
        relay.provider("PUT", PATH, workspace),
        relay.provider("GET", PATH),
        relay.provider("DELETE", PATH),
        relay.provider("GET", f"{PATH}/entities"),
        relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{ERASED}"),
        relay.provider("PUT", f"/v1/sites/{site.id}/offers/{ERASED}"),
    ]
    assert {(one.status, one.error_code) for one in refused} == {(409, "being_erased")}
    listed = relay.provider("GET", "/v1/workspaces").json()["workspaces"]
    assert [one["id"] for one in listed] == [OTHER]
    # Repeating it shows the progress.
    begun = erasure(relay)
    erase(relay)
    assert erasure(relay)["startedAt"] == begun["startedAt"]

    assert go_on(relay) == "done"
    assert relay.provider("GET", PATH).status == 404
    assert relay.provider("PUT", PATH, workspace).status == 200


def test_late_messages_restore_nothing(
    relay: Relay, site: JiraSite, caplog: pytest.LogCaptureFixture
) -> None:
    relay.queue(ERASED, incidents=[incident("late")])
    late = relay.waiting()
    relay.queue(ERASED, incidents=[incident("queued")])
    ours = key_of(relay)
    erase(relay)

    assert relay.run_queue() == []

    assert not items(relay, "queued")
    assert go_on(relay) == "done"
    assert relay.run_again(late) == []
    assert items(relay, ERASED, ours) == []
    relay.put_workspace(ERASED)
    three_minutes_pass(relay)
    link(relay, site)
    assert relay.run_again(late) == []
    assert relay.provider("GET", f"{PATH}/entities").json()["entities"] == []
    relay.submit(ERASED, incidents=[incident("new")])
    assert set(site.at_site("incident")) & {relay.at_site("new", ERASED)}
    assert key_of(relay) != ours
    assert any("Dropped" in record.message for record in caplog.records)


def three_minutes_pass(relay: Relay) -> None:
    """As an erasure takes longer than the last calls that it drops, and this one took none."""
    change(relay, keys.erased(ERASED), until=int(time.time() * 1000))
    time.sleep(0.01)


def test_a_delivery_under_way_is_deleted_too(relay: Relay, site: JiraSite) -> None:
    """It has read the links before the erasure, and its request arrives afterwards."""
    ours, others = key_of(relay), key_of(relay, OTHER)
    shown = held(site, others)
    erase(relay)
    relay.run_replays()
    assert erasure(relay)["stage"] == "wait"
    before = held(site, ours)
    relay.links.link(site.id, ERASED)
    put_by_delivery(relay)
    assert held(site, ours) == before + 1

    assert go_on(relay) in ("wait", "done")
    assert go_on(relay) == "done"

    assert (held(site, ours), held(site, others)) == (0, shown)
    assert items(relay, ERASED, ours) == []


def put_by_delivery(relay: Relay) -> None:
    """What a submitter does that has read the link."""
    sites = relay.gateway.functions["replayer"].parts.sites
    [jira] = map(sites.jira_for, sites.linked_to(ERASED))
    jira.submit_entities(Kind.INCIDENT, [incident("under-way")], {})


def test_an_uninstalled_site_is_not_called(relay: Relay, site: JiraSite) -> None:
    ours = key_of(relay)
    assert site.simulator.control("POST", f"/sites/{site.name}/uninstall").status_code == 200
    calls = len(site.calls())
    erase(relay)
    assert go_on(relay) == "done"
    assert len(site.calls()) == calls
    assert items(relay, ERASED, ours) == []


def test_what_a_deleted_workspace_left_is_erased(relay: Relay, site: JiraSite) -> None:
    ours = key_of(relay)
    assert relay.provider("GET", f"{PATH}/erasure").error_code == "unknown_erasure"
    assert relay.provider("DELETE", PATH).status == 204
    assert relay.provider("GET", f"{PATH}/erasure").error_code == "unknown_workspace"
    erase(relay)
    assert go_on(relay) == "done"
    assert items(relay, ERASED, ours) == []
    assert held(site, ours) == 0


@pytest.mark.usefixtures("site")
def test_an_id_of_which_there_is_nothing_is_unknown(relay: Relay) -> None:
    answer = relay.provider("DELETE", "/v1/workspaces/no-such-one?erase=true")
    assert (answer.status, answer.error_code) == (404, "unknown_workspace")
    assert relay.provider("GET", "/v1/workspaces/no-such-one/erasure").status == 404
    erase(relay)
    assert go_on(relay) == "done"
    erase(relay, 404)
    # What is left of a workspace that was never linked, and deleted, is enough.
    relay.put_workspace("unlinked")
    relay.submit("unlinked", incidents=[incident()])
    assert relay.provider("DELETE", "/v1/workspaces/unlinked").status == 204
    assert relay.provider("DELETE", "/v1/workspaces/unlinked?erase=true").status == 202


def test_a_sources_address_is_unknown_meanwhile(relay: Relay) -> None:
    made = relay.provider("PUT", f"{PATH}/sources/tool", {"kind": "grafana"}).json()
    address = "/sources/" + made["url"].rpartition("/")[2]
    assert relay.call("POST", address, {}).status != 401
    erase(relay)
    assert relay.call("POST", address, {}).status == 401


def test_two_erasures_at_once_revoke_a_key_for_both(relay: Relay) -> None:
    key = relay.key_for(ERASED, OTHER)
    keys_of = ApiKeys(relay.aws.dynamodb, relay.aws.environment["API_KEYS_TABLE"])
    with aws_calls() as calls:
        calls.race("UpdateItem", lambda: keys_of.forget(OTHER))
        keys_of.forget(ERASED)
    assert relay.provider("GET", f"/v1/workspaces/{OTHER}", key=key).status == 401


def test_only_a_key_for_all_workspaces_may_erase(relay: Relay) -> None:
    own = relay.key_for(ERASED)
    answer = relay.provider("DELETE", f"{PATH}?erase=true", key=own)
    assert answer.status == 403
    assert relay.provider("GET", PATH, key=own).status == 200
    bad = relay.provider("DELETE", f"{PATH}?erase=yes")
    assert (bad.status, bad.json()["error"]["details"][0]["path"]) == (400, "erase")
    assert relay.provider("GET", PATH).status == 200
