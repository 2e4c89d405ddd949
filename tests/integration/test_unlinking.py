"""Unlinking deletes all of the workspace from the site, and nothing of the others."""

import itertools

import pytest

from relay.delivery.sites import Sites
from relay.jira.errors import JiraUnreachable
from relay.jira.workspace_jira import WorkspaceJira
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident, review

TEAMS = ("payments", "search")


@pytest.fixture(params=["off", "on"], ids=["without components", "with components"])
def relay(request: pytest.FixtureRequest, start: Start, simulator: Simulator) -> Relay:
    relay = start(*TEAMS, simulator=simulator, COMPONENTS_MODULE=request.param)
    document = {
        "name": "Checkout",
        "url": "https://ops.example.com/services/checkout",
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    for workspace in TEAMS:
        path = f"/v1/workspaces/{workspace}/containers/checkout"
        assert relay.provider("PUT", path, document).status == 200
        relay.submit(workspace, incidents=[incident()], reviews=[review()])
    return relay


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(relay, simulator)
    for workspace in TEAMS:
        link(relay, site, workspace)
    return site


def link(relay: Relay, site: JiraSite, workspace: str = "payments") -> None:
    answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 200, answer.body
    relay.run_replays()


def unlink(relay: Relay, site: JiraSite, status: int = 204) -> None:
    answer = relay.provider("DELETE", f"/v1/sites/{site.id}/workspaces/payments")
    assert answer.status == status, answer.body


def held(site: JiraSite, key: str) -> int:
    """The number of the site's entities with this workspace's key."""
    kinds = ("incident", "review", "component")
    return sum(one.startswith(f"{key}.") for kind in kinds for one in site.at_site(kind))


def seen_by(relay: Relay, workspace: str) -> WorkspaceJira:
    sites: Sites = relay.gateway.functions["replayer"].parts.sites
    [jira] = map(sites.jira_for, sites.linked_to(workspace))
    assert jira
    return jira


def key_of(relay: Relay, workspace: str) -> str:
    return relay.links.of_workspace(workspace)[0].ids.key


def test_unlinking_deletes_all_of_the_workspace_and_nothing_of_others(
    relay: Relay, site: JiraSite
) -> None:
    ours, others = key_of(relay, "payments"), key_of(relay, "search")
    before = held(site, others)
    assert held(site, ours) == before > 1

    unlink(relay, site)

    assert (held(site, ours), held(site, others)) == (0, before)
    assert relay.links.workspaces_of(site.id) == ["search"]
    # Repeating it succeeds.
    unlink(relay, site)


def test_entities_delivered_during_the_unlinking_are_deleted_later(
    relay: Relay, site: JiraSite
) -> None:
    """The delivery read the link before it was removed, and its request arrives after the
    deletion.
    """
    ours, others = key_of(relay, "payments"), key_of(relay, "search")
    before = held(site, others)
    [linked] = relay.links.of_workspace("payments")
    unlink(relay, site)
    # As it was when the delivery started.
    relay.links.link(site.id, "payments")
    relay.submit("payments", incidents=[incident("late")])
    relay.links.unlink(site.id, "payments")
    assert held(site, linked.ids.key) > 0

    relay.let_time_pass()
    relay.run_replays()

    assert (held(site, ours), held(site, others)) == (0, before)


def test_a_new_link_keeps_its_deliveries(relay: Relay, site: JiraSite) -> None:
    ours, before = key_of(relay, "payments"), held(site, key_of(relay, "payments"))
    unlink(relay, site)
    link(relay, site)
    assert held(site, ours) == before

    relay.let_time_pass()
    relay.run_replays()

    assert held(site, ours) == before


def test_entities_that_jira_deletes_late_are_delivered_again(relay: Relay, site: JiraSite) -> None:
    """Jira does not report when its deletion is complete."""
    ours, before = key_of(relay, "payments"), held(site, key_of(relay, "payments"))
    unlink(relay, site)
    link(relay, site)
    jira = seen_by(relay, "payments")
    jira.delete_all()
    assert held(site, ours) == 0

    relay.let_time_pass()
    relay.run_replays()

    assert held(site, ours) == before


def test_a_link_created_during_a_failing_deletion_gets_everything(
    relay: Relay, site: JiraSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, before = key_of(relay, "payments"), held(site, key_of(relay, "payments"))
    unlink(relay, site)

    def delete_all(jira: WorkspaceJira) -> None:
        monkeypatch.undo()
        link(relay, site)
        jira.delete_all()
        raise JiraUnreachable("Jira gave no answer")

    monkeypatch.setattr(WorkspaceJira, "delete_all", delete_all)
    relay.let_time_pass()
    relay.run_replays()

    assert held(site, ours) == before


def test_a_failed_unlinking_replays_nothing(relay: Relay, site: JiraSite) -> None:
    site.simulator.fail(site.name, {"kind": "suspended", "operations": ["deleteWorkspaces"]})
    unlink(relay, site, status=503)
    site.simulator.fail(site.name)
    calls = len(site.calls())

    relay.let_time_pass()
    relay.run_replays()

    assert len(site.calls()) == calls


def test_deletion_is_retried_at_a_site_in_trouble_until_all_is_gone(
    relay: Relay, site: JiraSite
) -> None:
    ours = key_of(relay, "payments")
    unlink(relay, site)
    relay.links.link(site.id, "payments")
    relay.submit("payments", incidents=[incident("late")])
    relay.links.unlink(site.id, "payments")
    site.simulator.fail(site.name, {"kind": "suspended"})
    for _ in range(2):
        relay.let_time_pass()
        relay.run_replays()
    assert held(site, ours) == 1

    site.simulator.fail(site.name)
    relay.let_time_pass()
    relay.run_replays()

    assert held(site, ours) == 0


def test_an_entity_that_a_site_cannot_delete_now_is_deleted_later(
    relay: Relay, site: JiraSite
) -> None:
    ours = key_of(relay, "payments")
    site.simulator.fail(site.name, {"kind": "suspended", "operations": ["deleteEntityByProperty"]})

    unlink(relay, site)

    assert relay.links.workspaces_of(site.id) == ["search"]
    assert held(site, ours)
    site.simulator.fail(site.name)
    relay.let_time_pass()
    relay.run_replays()
    assert held(site, ours) == 0


# --- Unlinked in Jira only, and linked again ---


def test_a_link_after_an_interrupted_unlinking_delivers_all(relay: Relay, site: JiraSite) -> None:
    ours, before = key_of(relay, "payments"), held(site, key_of(relay, "payments"))
    path = f"/v1/sites/{site.id}/workspaces/payments"
    with aws_calls() as calls:
        for place in itertools.count():
            made = len(calls.names)
            calls.fail(unreachable(), at=place)
            relay.provider("DELETE", path)
            calls.no_more_trouble()
            has_failed = len(calls.names) - made > place
            link(relay, site)
            relay.let_time_pass()
            relay.sweep()
            assert held(site, key_of(relay, "payments")) == before, place
            if not has_failed:
                break
    assert place > 5
    assert ours == key_of(relay, "payments")


def test_a_link_removed_in_jira_by_an_admin_delivers_all_when_linked_again(
    relay: Relay, site: JiraSite
) -> None:
    ours, before = key_of(relay, "payments"), held(site, key_of(relay, "payments"))
    remove_in_jira(relay)

    link(relay, site)

    assert held(site, ours) == before


def test_a_repeated_link_delivers_all_after_any_failed_aws_call(
    relay: Relay, site: JiraSite
) -> None:
    ours, before = key_of(relay, "payments"), held(site, key_of(relay, "payments"))
    path = f"/v1/sites/{site.id}/workspaces/payments"
    with aws_calls() as calls:
        for place in itertools.count():
            remove_in_jira(relay)
            assert held(site, ours) == 0
            made = len(calls.names)
            calls.fail(unreachable(), at=place)
            relay.provider("PUT", path)
            calls.no_more_trouble()
            has_failed = len(calls.names) - made > place
            link(relay, site)
            relay.let_time_pass()
            relay.sweep()
            assert held(site, ours) == before, place
            if not has_failed:
                break
    assert place > 5


def test_an_existing_link_is_delivered_nothing(relay: Relay, site: JiraSite) -> None:
    before = len(site.calls())
    link(relay, site)
    asked, linked = (path.partition("/1.0/")[2] for _, path in site.calls()[before:])
    assert (asked, linked) == (
        "linkedWorkspaces?workspaceId=payments",
        "linkedWorkspaces/bulk",
    )


def remove_in_jira(relay: Relay) -> None:
    """Jira deletes the workspace's entities, without notice."""
    jira = seen_by(relay, "payments")
    jira.site.delete_workspaces(["payments"])
    jira.delete_all()
