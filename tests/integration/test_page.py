"""The page for a site's admin inside Jira, at sites of the Jira simulator."""

import re
import tomllib
from typing import Any

import pytest

from relay import VERSION
from relay.edge.advice import ADVICE
from relay.edge.shapes.sites import TROUBLES
from relay.keys import SHARDS
from tests.integration.page_stage import Page, error, page_at, refuse
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws import REGION
from tests.support.entities import incident
from tests.support.template import ROOT

pytestmark = pytest.mark.usefixtures("every_shard")

CONTAINER = {
    "name": "Checkout API",
    "url": "https://ops.example.com/services/checkout-api",
    "lastUpdatedDate": "2026-01-31T09:30:00Z",
}


@pytest.fixture
def page(relay: Relay, site: JiraSite) -> Page:
    return page_at(relay, site)


@pytest.fixture
def new_page(relay: Relay, simulator: Simulator) -> Page:
    """The page at a site that is linked to nothing."""
    return page_at(relay, install_from(relay, simulator))


def offer(page: Page, workspace: str) -> None:
    path = f"/v1/sites/{page.site.id}/offers/{workspace}"
    assert page.relay.provider("PUT", path).status == 200


# --- What it shows ---


def test_an_admin_sees_the_site_and_what_became_of_its_entities(relay: Relay, page: Page) -> None:
    refuse(page, r"\.inc-2$")
    relay.submit("payments", incidents=[incident("inc-1"), incident("inc-2")])
    shown = page.shown()
    assert shown["baseUrl"] == page.site.site.base_url
    assert (shown["state"], shown["connectedAs"], shown["region"]) == ("active", "connect", REGION)
    assert shown["offers"] == []
    assert "trouble" not in shown
    [workspace] = shown["workspaces"]
    assert (workspace["name"], workspace["url"]) == ("Payments", "https://ops.example.com/payments")
    assert workspace["counts"] == {"shown": 1, "owed": 0, "refused": 1, "isComplete": True}
    assert workspace["replay"]["why"] == "linked"
    assert workspace["hasTestIncident"] is False
    outcomes = relay.provider("GET", "/v1/workspaces/payments/entities").json()["entities"]
    answered = [one["sites"][0]["at"] for one in outcomes]
    assert workspace["lastDeliveryAt"] == max(answered)


def test_the_version_is_the_projects(page: Page) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
    assert page.shown()["version"] == VERSION


def test_a_workspace_without_entities_shows_none(page: Page) -> None:
    workspace = page.workspace()
    assert workspace["counts"] == {"shown": 0, "owed": 0, "refused": 0, "isComplete": True}
    assert "lastDeliveryAt" not in workspace


def test_a_deleted_entity_is_neither_shown_nor_owed(relay: Relay, page: Page) -> None:
    relay.submit("payments", incidents=[incident("inc-1"), incident("inc-2")])
    relay.provider("DELETE", "/v1/workspaces/payments/incidents/inc-1")
    relay.run_queue()
    counts = {"shown": 1, "owed": 0, "refused": 0, "isComplete": True}
    assert page.workspace()["counts"] == counts


def test_what_a_replay_has_not_reached_counts_as_owed(relay: Relay, new_page: Page) -> None:
    relay.submit("payments", incidents=[incident(f"inc-{number}") for number in range(3)])
    offer(new_page, "payments")
    assert new_page.call("PUT", "/workspaces/payments/link").status == 204
    workspace = new_page.workspace()
    assert workspace["counts"] == {"shown": 0, "owed": 3, "refused": 0, "isComplete": True}
    assert workspace["replay"]["state"] == "waiting"
    listed = new_page.entities("state=owed")["entities"]
    assert sorted(one["id"] for one in listed) == ["inc-0", "inc-1", "inc-2"]
    relay.run_replays()
    workspace = new_page.workspace()
    assert workspace["counts"] == {"shown": 3, "owed": 0, "refused": 0, "isComplete": True}
    assert (workspace["replay"]["state"], workspace["replay"]["done"]) == ("done", 3)


@pytest.mark.parametrize(("reads", "is_complete"), [(3 * SHARDS - 1, False), (3 * SHARDS, True)])
def test_counts_beyond_the_budget_are_incomplete(
    relay: Relay, page: Page, monkeypatch: pytest.MonkeyPatch, reads: int, is_complete: bool
) -> None:
    """A small workspace costs three reads of each shard, whatever others have cost."""
    relay.submit("payments", incidents=[incident()])
    monkeypatch.setattr("relay.actions.admin_page._READS_OF_PAGE", 0)
    monkeypatch.setattr("relay.actions.admin_page._READS_OF_SMALL", reads)
    counts = page.workspace()["counts"]
    assert counts == {"shown": 1, "owed": 0, "refused": 0, "isComplete": is_complete}


def test_a_deleted_workspace_is_shown_while_it_is_linked_and_can_be_unlinked(
    relay: Relay, page: Page
) -> None:
    """Jira still shows what it has of it."""
    relay.submit("payments", incidents=[incident()])
    assert relay.provider("DELETE", "/v1/workspaces/payments").status == 204
    workspace = page.workspace()
    assert (workspace["name"], workspace["counts"]["shown"]) == ("payments", 1)
    assert "url" not in workspace
    assert error(page, "PUT", "/workspaces/payments/test-incident") == (404, "unknown_workspace")
    assert page.call("DELETE", "/workspaces/payments/link").status == 204
    assert page.shown()["workspaces"] == []
    assert page.site.held("incident") == {}


def test_a_site_of_many_workspaces_is_shown_without_the_counts_of_the_last(
    relay: Relay, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the page of such a site would end with Lambda's timeout, at every call."""
    for workspace in ("search", "zeppelin"):
        relay.put_workspace(workspace)
        relay.links.link(page.site.id, workspace)
    relay.submit("zeppelin", incidents=[incident()])
    monkeypatch.setattr("relay.actions.admin_page._READS_OF_PAGE", 0)
    monkeypatch.setattr("relay.actions.admin_page._READS_OF_ALL_SMALL", 6 * SHARDS)
    shown = [(one["name"], one["counts"]) for one in page.shown()["workspaces"]]
    none = {"shown": 0, "owed": 0, "refused": 0}
    assert shown == [
        ("Payments", none | {"isComplete": True}),
        ("Search", none | {"isComplete": True}),
        ("Zeppelin", none | {"isComplete": False}),
    ]


def test_workspaces_are_in_the_order_of_their_names(start: Start, simulator: Simulator) -> None:
    relay = start(simulator=simulator)
    page = page_at(relay, install_from(relay, simulator))
    for workspace, name in (("a", "search"), ("b", "Payments"), ("c", "billing"), ("d", "Auth")):
        relay.put_workspace(workspace, name)
        offer(page, workspace)
    assert [one["name"] for one in page.shown()["offers"]] == [
        "Auth",
        "billing",
        "Payments",
        "search",
    ]
    for workspace in ("a", "b"):
        assert page.call("PUT", f"/workspaces/{workspace}/link").status == 204
    shown = page.shown()
    assert [one["name"] for one in shown["workspaces"]] == ["Payments", "search"]
    assert [one["name"] for one in shown["offers"]] == ["Auth", "billing"]


def test_the_sources_behind_a_workspace_and_their_last_call_are_shown(
    relay: Relay, page: Page
) -> None:
    source = {"kind": "alertmanager", "settings": {"component": "platform"}}
    path = "/v1/workspaces/payments/sources"
    url = relay.provider("PUT", f"{path}/metrics", source).json()["url"]
    assert relay.provider("PUT", f"{path}/silent", source).status == 200
    refused = relay.call("POST", url.removeprefix(relay.gateway.url), {"nothing": "known"})
    assert refused.status == 400
    metrics, silent = page.workspace()["sources"]
    assert silent == {"id": "silent", "title": "Alertmanager"}
    assert (metrics["title"], metrics["lastState"]) == ("Alertmanager", "refused")
    assert "lastDeliveryAt" in metrics


def test_a_trouble_is_shown_with_jiras_words_and_what_to_do(relay: Relay, page: Page) -> None:
    fault = {"kind": "forbidden", "operations": ["submitEntity", "getWorkspaces"]}
    page.site.simulator.fail(page.site.name, fault)
    relay.submit("payments", incidents=[incident()])
    shown = page.shown()
    assert shown["state"] == "needs attention"
    trouble = shown["trouble"]
    assert trouble["code"] == "access_refused"
    assert trouble["message"].startswith("Jira answered 403")
    assert trouble["advice"] == ADVICE["access_refused"]
    [owed] = page.entities("state=owed")["entities"]
    assert (owed["state"], owed["id"], owed["summary"]) == ("owed", "inc-1", incident()["summary"])
    assert owed["messages"] == [trouble["message"]]
    assert shown["workspaces"][0]["counts"]["owed"] == 1


def test_every_trouble_has_its_advice() -> None:
    assert ADVICE.keys() == TROUBLES.keys()
    assert len(set(ADVICE.values())) == len(ADVICE)


# --- Changes ---


def test_an_admin_links_what_is_offered_and_unlinks_it(relay: Relay, new_page: Page) -> None:
    assert error(new_page, "PUT", "/workspaces/search/link") == (404, "unknown_offer")
    offer(new_page, "search")
    assert new_page.call("PUT", "/workspaces/search/link").status == 204
    assert new_page.call("PUT", "/workspaces/search/link").status == 204
    site = new_page.site
    assert site.simulator.site(site.name)["linkedWorkspaces"] == ["search"]
    shown = new_page.shown()
    assert [one["id"] for one in shown["workspaces"]] == ["search"]
    assert shown["offers"] == []

    relay.submit("search", incidents=[incident()])
    assert site.held("incident").keys() == {"inc-1"}
    assert new_page.call("DELETE", "/workspaces/search/link").status == 204
    assert site.held("incident") == {}
    assert relay.links.workspaces_of(site.id) == []
    assert [one["id"] for one in new_page.shown()["offers"]] == ["search"]
    assert error(new_page, "DELETE", "/workspaces/search/link") == (404, "unknown_link")


def test_a_link_that_jira_refuses_is_not_stored(relay: Relay, new_page: Page) -> None:
    offer(new_page, "search")
    site = new_page.site
    fault = {"kind": "forbidden", "operations": ["submitOperationsWorkspaces"]}
    site.simulator.fail(site.name, fault)
    assert error(new_page, "PUT", "/workspaces/search/link") == (502, "jira_refused")
    assert relay.links.workspaces_of(site.id) == []


def test_a_replay_starts_and_is_shown(relay: Relay, page: Page) -> None:
    relay.submit("payments", incidents=[incident()])
    for what in ("owed", "all"):
        answer = page.call("POST", "/workspaces/payments/replay", {"what": what})
        assert answer.status == 202
        assert (answer.json()["what"], answer.json()["state"]) == (what, "waiting")
        assert page.workspace()["replay"]["why"] == "requested"
        relay.run_replays()
        assert page.workspace()["replay"]["state"] == "done"


@pytest.mark.parametrize("body", [{}, {"what": "since"}, {"what": "all", "workspaceId": "x"}])
def test_a_bad_replay_is_refused(page: Page, body: Any) -> None:
    assert error(page, "POST", "/workspaces/payments/replay", body) == (400, "bad_request")


def test_the_test_incident_appears_in_jira_and_goes(relay: Relay, page: Page) -> None:
    path = "/v1/workspaces/payments/containers/checkout-api"
    assert relay.provider("PUT", path, CONTAINER).status == 200
    for _ in range(2):
        answer = page.call("PUT", "/workspaces/payments/test-incident")
        assert (answer.status, answer.json()) == (202, {"id": "relay-test"})
        assert not relay.run_queue()
        [held] = page.site.held("incident").values()
        assert (held["id"], held["summary"]) == ("relay-test", "Test incident from Relay")
        assert held["severity"] == {"level": "P5"}
        assert held["affectedComponents"] == ["checkout-api"]
        assert held["url"] == "https://ops.example.com/payments"
        assert page.workspace()["hasTestIncident"] is True

        answer = page.call("DELETE", "/workspaces/payments/test-incident")
        assert (answer.status, answer.json()) == (202, {"id": "relay-test"})
        assert page.workspace()["hasTestIncident"] is False
        assert not relay.run_queue()
        assert page.site.held("incident") == {}


def test_a_test_incident_needs_no_container(relay: Relay, page: Page) -> None:
    assert page.call("PUT", "/workspaces/payments/test-incident").status == 202
    relay.run_queue()
    [held] = page.site.held("incident").values()
    assert held["affectedComponents"] == ["relay-test"]


# --- The files ---


def test_the_files_are_the_same_for_everyone(relay: Relay) -> None:
    for name, media in (
        ("page.js", "text/javascript"),
        ("page.css", "text/css"),
        ("theme.css", "text/css"),
    ):
        answer = relay.call("GET", f"/page/{name}")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == f"{media}; charset=utf-8"
        static = ROOT / "functions" / "page" / "static" / name
        assert answer.body == static.read_text("utf-8")


def test_forge_gets_the_html_with_a_file_of_its_own(relay: Relay) -> None:
    answer = relay.call("GET", "/page/forge.html")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    # Served by Relay, it is no page: no script runs, and nothing may frame it.
    alone = "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Content-Security-Policy"] == alone
    html = (ROOT / "functions" / "page" / "static" / "index.html").read_text("utf-8")
    assert answer.body == html.replace("{{all_js}}", "page/forge.js")


def test_the_html_loads_only_its_own_files_and_atlassians_script(page: Page) -> None:
    answer = page.relay.jira(page.site.site, "GET", "/page?lic=none&xdm_e=https%3A%2F%2Fx")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", answer.body)
    assert "https://connect-cdn.atl-paas.net/all.js" in loaded
    # The empty icon keeps browsers from asking for one.
    own = [one for one in loaded if not one.startswith(("https://connect-cdn", "data:,"))]
    # Relative to /page, so that they stay below a base URL with a path.
    assert own
    assert all(re.fullmatch(r"page/[a-z]+\.(js|css)", one) for one in own)
    assert "{{" not in answer.body
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.body)
