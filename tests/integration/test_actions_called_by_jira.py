"""The actions as Jira calls them: by the descriptor's own URLs, over HTTP, signed by Jira."""

from typing import Any

import pytest

from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start("payments", simulator=simulator, COMPONENTS_MODULE="on")


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(relay, simulator)
    path = f"/v1/sites/{site.id}/workspaces/payments"
    assert relay.provider("PUT", path).status == 200
    return site


def call(site: JiraSite, action: str, body: Any = None, **query: str) -> tuple[int, Any]:
    """Let Jira make the call; return the (status, JSON) of Relay's answer."""
    asked = {"action": action, "query": query} | ({"body": body} if body is not None else {})
    answer = site.simulator.control("POST", f"/sites/{site.name}/call", asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["status"], answer.json().get("body")


def test_workspaces_are_fetched(site: JiraSite) -> None:
    status, answer = call(site, "fetchWorkspaces", {"ids": ["payments", "unknown"]})
    assert status == 200
    assert [one["id"] for one in answer["workspaces"]] == ["payments"]


def test_containers_are_searched(relay: Relay, site: JiraSite) -> None:
    document = {
        "name": "Überweisung & Co. (100%)",
        "url": "https://ops.example.com/services/1",
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    path = "/v1/workspaces/payments/containers/team/one"
    assert relay.provider("PUT", path, document).status == 200
    for query in ("uberweisung", "WEISUNG & co. (100%)", "%", ""):
        status, answer = call(site, "searchContainers", searchQuery=query)
        assert status == 200
        assert [one["id"] for one in answer["containers"]] == [relay.at_site("team/one")]
    assert call(site, "searchContainers", searchQuery="+") == (200, {"containers": []})


def test_a_component_is_sent_again_and_returned(relay: Relay, site: JiraSite) -> None:
    """Jira names it by its URL when a user associates it with an issue."""
    url = "https://ops.example.com/services/checkout"
    document = {"name": "Checkout", "url": url, "lastUpdatedDate": "2026-01-31T09:30:00Z"}
    path = "/v1/workspaces/payments/containers/checkout"
    assert relay.provider("PUT", path, document).status == 200
    issue = {"ati": "ati:cloud:jira:issue", "ari": "a", "cloudId": "c", "id": "10001"}
    for action, other in (("associate", "associateWith"), ("disassociate", "disassociateFrom")):
        assert relay.run_queue() == []
        before = site.at_site("component")[relay.at_site("checkout")]
        body = {"entity": {"url": url}, other: issue}
        status, answer = call(site, action, body, userId="557058:someone")
        assert status == 200
        assert relay.run_queue() == []
        sent = site.at_site("component")[relay.at_site("checkout")]
        assert sent["updateSequenceNumber"] >= answer["updateSequenceNumber"]
        assert sent["updateSequenceNumber"] > before["updateSequenceNumber"]
        assert answer | {"updateSequenceNumber": 0} == sent | {"updateSequenceNumber": 0}
        assert call(site, action, {"entity": {"url": f"{url}/other"}, other: issue})[0] == 404
        wrong: list[Any] = [{}, {"entity": {}}, {"entity": {"url": 1}}, {"entity": "x"}]
        assert {call(site, action, each)[0] for each in wrong} == {400}


def test_associations_are_listed(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("inc-1")])
    at_site = relay.at_site("inc-1")
    ari = f"ari:cloud:jira:x:/activation/111-222-333/{at_site}"
    issue = {"ati": "ati:cloud:jira:issue", "ari": "a", "cloudId": "c", "id": "10068"}
    entity = {"ari": ari, "id": at_site}

    def shown() -> Any:
        found = relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1").json()
        return found["sites"][0].get("associations", [])

    answer = call(site, "onEntityAssociated", {"entity": entity, "associatedWith": issue})
    assert answer[0] == 204
    assert shown() == [issue]
    answer = call(site, "onEntityDisassociated", {"entity": entity, "disassociatedFrom": issue})
    assert answer[0] == 204
    assert shown() == []


def test_a_review_is_created_and_arrives_in_jira(relay: Relay, site: JiraSite) -> None:
    odd = "inc/1 & 2"
    url = "https://ops.example.com/incidents/odd"
    relay.submit("payments", incidents=[incident(odd, url=url)])
    ids = {"incident-id": relay.at_site(odd), "component-id": relay.at_site("team/one")}
    status, answer = call(site, "createPostIncidentReview", **ids)
    assert status == 201
    assert relay.run_queue() == []
    assert site.at_site("review") == {answer["review"]["id"]: answer["review"]}
    assert answer["review"]["reviews"] == [relay.at_site(odd)]
    ids["incident-id"] = "unknown"
    assert call(site, "createPostIncidentReview", **ids)[0] == 404
