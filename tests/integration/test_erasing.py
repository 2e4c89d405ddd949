"""Erasing a workspace leaves nothing of it, in Jira or in a table, and touches no other."""

import contextlib
import itertools
import time
from typing import Any

import pytest

from relay import keys
from relay.entities.model import Kind
from relay.table import key, to_item
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.sources.samples import samples
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident, review

# Its id is in nothing else.
ERASED, OTHER = "zq7-erased", "search"
PATH = f"/v1/workspaces/{ERASED}"
FIRING = samples("cloudwatch")
HOOK = {"url": "https://ops.example.com/hook", "secret": f"whsec_{'A' * 32}"}


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


def fill(relay: Relay, workspace: str, payloads: dict[str, Any] = FIRING) -> None:
    path = f"/v1/workspaces/{workspace}"
    container = {
        "name": "Shop",
        "url": "https://ops.example.com/services/checkout",
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    assert relay.provider("PUT", f"{path}/containers/checkout", container).status == 200
    assert relay.provider("PUT", f"{path}/webhook", HOOK).status == 200
    for source in ("kept", "gone"):
        document = {"kind": "cloudwatch"}
        assert relay.provider("PUT", f"{path}/sources/{source}", document).status == 200
        for payload in payloads.values():
            relay.provider("POST", f"{path}/sources/{source}/events", payload)
        relay.provider("POST", f"{path}/sources/{source}/events", {"no": "alarm"})
    assert relay.provider("DELETE", f"{path}/sources/gone").status == 204
    relay.submit(workspace, incidents=[incident()], reviews=[review()])
    assert relay.provider("DELETE", f"{path}/incidents/never-recorded").status == 202
    relay.run_queue()


def link(relay: Relay, site: JiraSite, workspace: str = ERASED) -> None:
    answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 200, answer.body
    relay.run_replays()


def associate(relay: Relay, site: JiraSite, workspace: str) -> None:
    """With a kind, and without: it is then stored under both."""
    for number, kind in enumerate(("incident", "")):
        ari = f"ari:cloud:jira:0a1b2c3d:{kind}/activation/4e5f6071/x"
        at_site = relay.at_site(incident()["id"] if kind else "not-recorded-yet", workspace)
        entity = {"id": at_site} | ({"ari": ari} if kind else {})
        body = {"entity": entity, "associatedWith": {"id": str(number)}}
        assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204
    relay.submit(workspace, incidents=[incident("not-recorded-yet")])


def erase(relay: Relay, status: int = 202) -> None:
    answer = relay.provider("DELETE", f"{PATH}?erase=true")
    assert answer.status == status, answer.body


def erasure(relay: Relay) -> dict[str, Any]:
    answer = relay.provider("GET", f"{PATH}/erasure")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def go_on(relay: Relay) -> str:
    """Let the sweeper continue the erasure, at most twice, after any wait; returns its stage."""
    for _ in range(2):
        relay.let_time_pass()
        relay.sweep()
        if (stage := str(erasure(relay)["stage"])) == "done":
            break
    return stage


def key_of(relay: Relay, workspace: str = ERASED) -> str:
    return relay.links.of_workspace(workspace)[0].ids.key


def held(site: JiraSite, key: str) -> int:
    kinds = ("incident", "review", "component")
    return sum(one.startswith(f"{key}.") for kind in kinds for one in site.at_site(kind))


def items(relay: Relay, *words: str) -> list[str]:
    """The items of all tables with any of these words in them, whatever their attributes."""
    dynamodb = relay.aws.dynamodb
    return sorted(
        str(sorted(item.items()))
        for table in dynamodb.list_tables()["TableNames"]
        for page in dynamodb.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
        if any(word in str(item) for word in words)
    )


def test_nothing_is_left_of_the_workspace_and_all_of_the_others(
    relay: Relay, site: JiraSite, simulator: Simulator
) -> None:
    elsewhere = install_from(relay, simulator)
    link(relay, elsewhere)
    before_unlinked = install_from(relay, simulator)
    link(relay, before_unlinked)
    path = f"/v1/sites/{before_unlinked.id}/workspaces/{ERASED}"
    assert relay.provider("DELETE", path).status == 204
    relay.let_time_pass()
    relay.run_replays()
    offer = f"/v1/sites/{before_unlinked.id}/offers/{ERASED}"
    assert relay.provider("PUT", offer).status == 200
    # What a site can't accept is a debt.
    elsewhere.simulator.fail(elsewhere.name, {"kind": "suspended"})
    relay.submit(ERASED, incidents=[incident("owed")])
    elsewhere.simulator.fail(elsewhere.name)
    ours, others = key_of(relay), key_of(relay, OTHER)
    alone, both = relay.key_for(ERASED), relay.key_for(ERASED, OTHER)
    kept, shown = items(relay, OTHER, f"#{others}"), held(site, others)
    assert len(kept) > 20
    assert held(site, ours) > shown > 3
    assert any("debt#" in one for one in items(relay, ERASED))

    erase(relay)
    assert go_on(relay) == "done"

    assert items(relay, ERASED, ours) == []
    assert (held(site, ours), held(elsewhere, ours), held(site, others)) == (0, 0, shown)
    # Only the key for both has changed.
    changed = set(kept) ^ set(items(relay, OTHER, f"#{others}"))
    assert all("'hash'" in one for one in changed), changed
    assert relay.provider("GET", f"{PATH}/erasure", key=alone).status == 401
    assert relay.provider("GET", f"/v1/workspaces/{OTHER}", key=both).status == 200
    assert relay.provider("GET", f"{PATH}/erasure", key=both).status == 403
    assert erasure(relay)["deleted"] > 20


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
    shown, before = held(site, others), snapshot(relay)
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


def snapshot(relay: Relay) -> dict[str, list[Any]]:
    dynamodb = relay.aws.dynamodb
    names = dynamodb.list_tables()["TableNames"]
    return {name: list(dynamodb.scan(TableName=name)["Items"]) for name in names}


def restore(relay: Relay, before: dict[str, list[Any]]) -> None:
    dynamodb = relay.aws.dynamodb
    for table, found in before.items():
        for start in range(0, len(found), 25):
            puts: Any = [{"PutRequest": {"Item": item}} for item in found[start : start + 25]]
            dynamodb.batch_write_item(RequestItems={table: puts})


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
    pk, sk = keys.erased(ERASED)
    relay.aws.dynamodb.update_item(
        TableName=relay.aws.environment["CATALOG_TABLE"],
        Key=key(pk, sk),
        UpdateExpression="SET #until = :now",
        ExpressionAttributeNames={"#until": "until"},
        ExpressionAttributeValues=to_item({":now": int(time.time() * 1000)}),
    )
    time.sleep(0.01)


def test_a_delivery_under_way_is_deleted_too(relay: Relay, site: JiraSite) -> None:
    """It has read the links before the erasure, and its request arrives afterwards."""
    ours, others = key_of(relay), key_of(relay, OTHER)
    shown = held(site, others)
    erase(relay)
    relay.run_replays()
    assert erasure(relay)["stage"] == "wait"
    assert held(site, ours) == 0
    relay.links.link(site.id, ERASED)
    put_by_delivery(relay)
    assert held(site, ours) == 1

    assert go_on(relay) in ("wait", "done")
    assert go_on(relay) == "done"

    assert (held(site, ours), held(site, others)) == (0, shown)
    assert items(relay, ERASED, ours) == []


def put_by_delivery(relay: Relay) -> None:
    """What a submitter does that has read the link."""
    sites = relay.gateway.functions["replayer"].parts.sites
    [jira] = map(sites.jira_for, sites.linked_to(ERASED))
    jira.submit_entities(Kind.INCIDENT, [incident("under-way")], {})


def test_it_waits_for_a_site_that_does_not_answer(relay: Relay, site: JiraSite) -> None:
    ours = key_of(relay)
    site.simulator.fail(site.name, {"kind": "suspended"})
    erase(relay)

    assert go_on(relay) == "unlink"

    reason = erasure(relay)["reason"]
    assert site.id in reason
    assert "503" in reason
    site.simulator.fail(site.name)
    assert go_on(relay) == "done"
    assert held(site, ours) == 0
    assert items(relay, ERASED, ours) == []


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


def test_only_a_key_for_all_workspaces_may_erase(relay: Relay) -> None:
    own = relay.key_for(ERASED)
    answer = relay.provider("DELETE", f"{PATH}?erase=true", key=own)
    assert answer.status == 403
    assert relay.provider("GET", PATH, key=own).status == 200
    bad = relay.provider("DELETE", f"{PATH}?erase=yes")
    assert (bad.status, bad.json()["error"]["details"][0]["path"]) == (400, "erase")
    assert relay.provider("GET", PATH).status == 200
