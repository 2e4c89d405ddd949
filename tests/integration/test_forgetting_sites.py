"""Forgetting a site leaves nothing of it in a table, and touches no other and no workspace."""

import contextlib
import itertools
from typing import Any

import pytest

from relay import keys
from relay.tenants.lifecycle import LifecycleToken
from tests.integration.erasing_stage import (
    ERASED,
    OTHER,
    associate,
    items,
    link,
    restore,
    tables,
    uninstall,
)
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from, install_there
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident, review


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    relay = start(ERASED, OTHER, simulator=simulator)
    for workspace in (ERASED, OTHER):
        relay.submit(workspace, incidents=[incident()], reviews=[review()])
    return relay


@pytest.fixture
def kept(relay: Relay, simulator: Simulator) -> JiraSite:
    return linked(relay, simulator)


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    """Linked to one workspace, and unlinked from another before."""
    site = linked(relay, simulator)
    path = f"/v1/sites/{site.id}/workspaces/{OTHER}"
    assert relay.provider("DELETE", path).status == 204
    offer = f"/v1/sites/{site.id}/offers/{OTHER}"
    assert relay.provider("PUT", offer).status == 200
    relay.let_time_pass()
    relay.run_replays()
    return site


def linked(relay: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(relay, simulator)
    for workspace in (ERASED, OTHER):
        link(relay, site, workspace)
        associate(relay, site, workspace)
    return site


def names(site: JiraSite) -> tuple[str, ...]:
    return site.id, site.site.client_key, f"{site.site.base_url}'"


def forget(relay: Relay, site: JiraSite) -> None:
    answer = relay.provider("DELETE", f"/v1/sites/{site.id}")
    assert answer.status == 202, answer.body


def erasure(relay: Relay, site: JiraSite) -> Any:
    return relay.provider("GET", f"/v1/sites/{site.id}/erasure")


def go_on(relay: Relay, site: JiraSite) -> str:
    relay.let_time_pass()
    relay.sweep()
    return str(erasure(relay, site).json()["stage"])


def test_nothing_is_left_of_the_site_and_all_of_the_others(
    relay: Relay, kept: JiraSite, site: JiraSite
) -> None:
    relay.submit(ERASED, incidents=[incident("later")])
    uninstall(site)
    record = items(relay, "entity#")
    before = items(relay, *names(kept))
    assert len(items(relay, *names(site))) > 15

    forget(relay, site)
    assert relay.provider("GET", f"/v1/sites/{site.id}").status == 404
    assert erasure(relay, site).json()["stage"] == "wait"
    forget(relay, site)
    assert go_on(relay, site) == "done"

    assert items(relay, *names(site)) == []
    assert items(relay, *names(kept)) == before
    assert items(relay, "entity#") == record
    relay.submit(ERASED, incidents=[incident("after")])
    assert "after" in kept.held("incident")


def test_only_a_site_without_the_app_is_forgotten(relay: Relay, site: JiraSite) -> None:
    before = relay.stored()
    answers = {
        (409, "installed"): relay.provider("DELETE", f"/v1/sites/{site.id}"),
        (404, "unknown_site"): relay.provider("DELETE", f"/v1/sites/{'0' * 32}"),
        (404, "unknown_erasure"): erasure(relay, site),
    }
    assert {one: (one_.status, one_.error_code) for one, one_ in answers.items()} == {
        one: one for one in answers
    }
    long = relay.provider("DELETE", f"/v1/sites/{'0' * 3000}")
    assert (long.status, long.error_code) == (404, "unknown_site")
    assert relay.stored() == before


def test_a_site_that_is_gone_is_forgotten_without_an_uninstall(
    relay: Relay, kept: JiraSite, site: JiraSite
) -> None:
    path = f"/v1/sites/{site.id}?gone=true"
    answer = relay.provider("DELETE", path)
    assert (answer.status, answer.error_code) == (409, "installed")
    # Atlassian has deleted it.
    site.simulator.fail(site.name, {"kind": "error", "status": 404})
    assert relay.provider("DELETE", f"/v1/sites/{site.id}").error_code == "installed"
    before = items(relay, *names(kept))

    assert relay.provider("DELETE", path).status == 202

    assert go_on(relay, site) == "done"
    assert items(relay, *names(site)) == []
    assert items(relay, *names(kept)) == before


def test_an_install_at_the_same_moment_wins(relay: Relay, site: JiraSite) -> None:
    uninstall(site)
    links = items(relay, "logoUrl")
    with aws_calls() as calls:
        calls.race("TransactWriteItems", lambda: relay.install(site.site))
        answer = relay.provider("DELETE", f"/v1/sites/{site.id}")
    assert (answer.status, answer.error_code) == (409, "installed")
    assert items(relay, "logoUrl") == links
    assert erasure(relay, site).status == 404
    assert relay.provider("GET", f"/v1/sites/{site.id}").json()["state"] == "active"


def test_a_site_that_installs_the_app_again_is_a_new_one(
    relay: Relay, site: JiraSite, simulator: Simulator
) -> None:
    uninstall(site)
    forget(relay, site)
    again = install_there(relay, simulator, site.name)
    assert again.id != site.id

    assert go_on(relay, site) == "done"

    assert items(relay, site.id) == []
    assert relay.provider("GET", f"/v1/sites/{again.id}").json()["state"] == "active"
    link(relay, again)
    assert again.held("incident")
    found = relay.tenants.find_by_base_url(site.site.base_url)
    assert [one.id for one in found] == [again.id]


def test_it_is_finished_after_any_failed_aws_call(
    relay: Relay, kept: JiraSite, site: JiraSite
) -> None:
    uninstall(site)
    before, others = tables(relay.aws), items(relay, *names(kept))
    with aws_calls() as calls:
        for place in itertools.count():
            restore(relay, before)
            forget(relay, site)
            relay.let_time_pass()
            begun = len(calls.names)
            calls.fail(unreachable(), at=place)
            with contextlib.suppress(Exception):
                relay.run_replays()
            calls.no_more_trouble()
            has_failed = len(calls.names) - begun > place
            assert go_on(relay, site) == "done", place
            assert items(relay, *names(site)) == [], place
            if not has_failed:
                break
    assert place > 10
    assert items(relay, *names(kept)) == others


def test_tenants_that_were_merged_into_it_are_forgotten_too(relay: Relay, site: JiraSite) -> None:
    tenant = relay.tenants.existing(site.id)
    table = relay.aws.environment["TENANTS_TABLE"]
    merged = "e" * 32
    item = relay.aws.dynamodb.get_item(
        TableName=table, Key={"pk": {"S": f"tenant#{tenant.id}"}, "sk": {"S": "tenant"}}
    )["Item"]
    own: Any = {
        "pk": {"S": f"tenant#{merged}"},
        "tenantId": {"S": merged},
        "mergedInto": {"S": tenant.id},
        "state": {"S": "uninstalled"},
    }
    relay.aws.dynamodb.put_item(
        TableName=table,
        Item={name: one for name, one in (item | own).items() if name != "clientKey"},
    )
    relay.aws.dynamodb.put_item(TableName=table, Item={"pk": {"S": "tenants"}, "sk": {"S": merged}})
    assert relay.tenants.uninstall(site.site.client_key, LifecycleToken(9_999_999_999, "gone"))
    answer = relay.provider("DELETE", f"/v1/sites/{merged}")
    assert (answer.status, answer.error_code) == (409, "merged")

    forget(relay, site)

    assert go_on(relay, site) == "done"
    assert items(relay, site.id, merged) == []


def test_an_installation_that_returns_at_the_same_moment_is_found(
    relay: Relay, kept: JiraSite, site: JiraSite
) -> None:
    table = relay.aws.environment["TENANTS_TABLE"]
    pointer = {"pk": {"S": keys.installation_id("returned")}, "sk": {"S": keys.TENANT}}
    relay.aws.dynamodb.put_item(TableName=table, Item=pointer | {"tenantId": {"S": site.id}})
    uninstall(site)
    forget(relay, site)
    relay.let_time_pass()

    def install() -> None:
        if not relay.aws.dynamodb.get_item(TableName=table, Key=pointer).get("Item"):
            relay.aws.dynamodb.put_item(
                TableName=table, Item=pointer | {"tenantId": {"S": kept.id}}
            )

    with aws_calls() as calls:
        calls.race("BatchWriteItem", *[install] * 20)
        assert go_on(relay, site) == "done"

    found = relay.tenants.find_by_installation_id("returned")
    assert found
    assert found.id == kept.id
