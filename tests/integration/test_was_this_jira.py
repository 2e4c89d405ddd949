"""An answer of another server is never accepted as Jira's, whatever the call."""

import time
from typing import Any

import pytest

from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review

PAGE = "<!doctype html><html><head><title>HTTP Status 400</title></head><body>no</body></html>"
LOGIN = "<!DOCTYPE html><html><body>Log in with Atlassian account</body></html>"
AN_HOUR_MS = 3_600_000


@pytest.fixture
def relay_(start: Start, simulator: Simulator) -> Relay:
    return start("payments", simulator=simulator, COMPONENTS_MODULE="on")


@pytest.fixture
def site(relay_: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(relay_, simulator)
    assert link(relay_, site) == 200
    relay_.run_replays()
    return site


def link(relay_: Relay, site: JiraSite) -> int:
    return relay_.provider("PUT", f"/v1/sites/{site.id}/workspaces/payments").status


def answers(site: JiraSite, *faults: dict[str, Any]) -> None:
    site.simulator.fail(site.name, *faults)


def page(status: int, *operations: str, body: Any = PAGE) -> dict[str, Any]:
    fault = {"kind": "error", "status": status, "body": body}
    return fault | {"operations": list(operations)} if operations else fault


def of(relay_: Relay, entity_id: str, query: str = "") -> Any:
    answer = relay_.provider("GET", f"/v1/workspaces/payments/incidents/{entity_id}{query}")
    assert answer.status == 200, answer.body
    [found] = answer.json()["sites"]
    return found


def document(relay_: Relay, site: JiraSite) -> Any:
    return relay_.provider("GET", f"/v1/sites/{site.id}").json()


def later(relay_: Relay) -> None:
    relay_.let_time_pass()
    relay_.run_replays()


def held(site: JiraSite) -> set[str]:
    return set(site.held("incident"))


NOT_JIRAS = [
    page(400),
    page(413),
    page(403),
    page(404),
    page(200, body=LOGIN),
    page(200, body={"status": "maintenance"}),
    page(202, body={"status": "maintenance"}),
    page(202, body={"errorMessages": ["no"], "errors": {}}),
    page(202, body={}),
    page(400, body={"errorMessages": ["no"]}),
]


@pytest.mark.parametrize("fault", NOT_JIRAS, ids=lambda fault: f"{fault['status']}")
def test_entities_answered_by_another_server_are_owed_until_jira_answers(
    relay_: Relay, site: JiraSite, fault: dict[str, Any]
) -> None:
    answers(site, fault)
    ids = {f"i-{number}" for number in range(20)}

    assert relay_.submit("payments", incidents=[incident(one) for one in sorted(ids)]) == []

    assert held(site) == set()
    assert document(relay_, site)["state"] == "slowed"
    assert document(relay_, site)["trouble"]["code"] == "unreadable"
    assert {of(relay_, one)["state"] for one in ids} == {"owed"}

    answers(site)
    later(relay_)

    assert held(site) == ids
    assert {of(relay_, one)["state"] for one in ids} == {"accepted"}
    assert document(relay_, site)["state"] == "active"


def test_a_site_answered_by_another_server_for_an_hour_needs_attention(
    relay_: Relay, site: JiraSite
) -> None:
    answers(site, page(200, body=LOGIN))
    relay_.submit("payments", incidents=[incident("i")])
    dynamodb, table = relay_.aws.dynamodb, relay_.aws.environment["TENANTS_TABLE"]
    key = {"pk": {"S": f"tenant#{site.id}"}, "sk": {"S": "trouble"}}
    trouble = dynamodb.get_item(TableName=table, Key=key)["Item"]
    for name in ("since", "at", "until"):
        trouble[name] = {"N": str(int(trouble[name]["N"]) - AN_HOUR_MS)}
    dynamodb.put_item(TableName=table, Item=trouble)

    later(relay_)

    assert document(relay_, site)["state"] == "needs attention"
    assert document(relay_, site)["trouble"]["code"] == "not_jira"


@pytest.mark.parametrize("body", [LOGIN, {"status": "maintenance"}, "ok"])
@pytest.mark.parametrize("status", [200, 202])
def test_a_deletion_is_owed_until_jira_itself_accepts_it(
    relay_: Relay, site: JiraSite, status: int, body: Any
) -> None:
    relay_.submit("payments", incidents=[incident("i")])
    answers(site, page(status, "deleteIncidentById", body=body))

    # What is deleted within the same millisecond counts as deleted before.
    time.sleep(0.002)
    assert relay_.provider("DELETE", "/v1/workspaces/payments/incidents/i").status == 202
    relay_.run_queue()

    assert of(relay_, "i")["state"] == "owed"
    assert held(site) == {"i"}

    answers(site)
    later(relay_)
    assert of(relay_, "i")["state"] == "deleted"
    assert held(site) == set()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (page(200, body=LOGIN), 503),
        (page(202, body={}), 503),
        (page(202, "submitOperationsWorkspaces", body={"acceptedWorkspaceIds": []}), 502),
        (page(202, "submitOperationsWorkspaces", body={"acceptedWorkspaceIds": ["another"]}), 502),
        (page(400), 503),
    ],
    ids=["login", "no list", "not named", "another named", "400"],
)
def test_a_link_that_jira_does_not_confirm_is_an_error(
    relay_: Relay, simulator: Simulator, fault: dict[str, Any], status: int
) -> None:
    site = install_from(relay_, simulator)
    answers(site, fault)

    assert link(relay_, site) == status

    assert relay_.links.workspaces_of(site.id) == []
    answers(site)
    assert link(relay_, site) == 200


def test_an_existing_link_that_jira_does_not_confirm_again_stays(
    relay_: Relay, site: JiraSite
) -> None:
    """Jira ignores an existing link and need not name it."""
    answers(site, page(202, "submitOperationsWorkspaces", body={"acceptedWorkspaceIds": []}))

    assert link(relay_, site) == 200


def test_a_replay_waits_until_jira_confirms_its_link(relay_: Relay, site: JiraSite) -> None:
    relay_.submit("payments", incidents=[incident("i")])
    site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()
    answers(site, page(202, "submitOperationsWorkspaces", body={"acceptedWorkspaceIds": []}))

    assert relay_.provider("POST", f"/v1/sites/{site.id}/replay", {"what": "all"}).status == 202
    relay_.run_replays()

    assert held(site) == set()
    [replay] = relay_.provider("GET", f"/v1/sites/{site.id}/replay").json()["replays"]
    assert "did not name the workspace" in replay["reason"]
    # Only this link is affected: the site is healthy.
    assert document(relay_, site)["state"] == "active"

    answers(site)
    later(relay_)
    assert held(site) == {"i"}
    assert site.simulator.site(site.name)["linkedWorkspaces"] == ["payments"]


def test_only_jiras_own_answer_confirms_entities_and_links(relay_: Relay, site: JiraSite) -> None:
    relay_.submit("payments", incidents=[incident("i")])
    confirm = "/v1/workspaces/payments/incidents/i?confirm=true"
    links = f"/v1/sites/{site.id}/workspaces"
    assert relay_.provider("GET", links).json()["inJira"] == ["payments"]

    for fault in (page(200, body=LOGIN), page(404), page(200, body={"status": "maintenance"})):
        answers(site, fault)
        assert relay_.provider("GET", confirm).status == 503
        assert relay_.provider("GET", links).status == 503


def test_components_answered_by_another_server_are_owed(relay_: Relay, site: JiraSite) -> None:
    for fault in (page(200, body=LOGIN), page(400), page(202, body={})):
        answers(site, fault)
        container = {
            "id": "checkout",
            "name": "Checkout",
            "url": "https://ops.example.com/checkout",
            "lastUpdatedDate": "2026-01-30T08:00:00Z",
        }
        url = "/v1/workspaces/payments/containers"
        assert relay_.provider("POST", url, {"containers": [container]}).status == 200
        relay_.run_queue()
        assert site.held("component") == {}

        answers(site)
        later(relay_)
        assert set(site.held("component")) == {"checkout"}
        site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()


def test_a_review_that_jira_does_not_name_is_unaccounted_and_not_rejected(
    relay_: Relay, site: JiraSite, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(site, {"kind": "unnamed"})
    capsys.readouterr()

    relay_.submit("payments", reviews=[review("r")])

    found = relay_.provider("GET", "/v1/workspaces/payments/reviews/r").json()["sites"][0]
    assert found["state"] == "unaccounted"
    assert "EntitiesRejected" not in capsys.readouterr().out
