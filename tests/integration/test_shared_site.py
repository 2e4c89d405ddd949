"""Two workspaces of one site have the same ids, and neither reads or changes the other's data."""

from typing import Any

import pytest

from relay.catalog.containers import RESULTS_MAX
from relay.entities.workspace_ids import WorkspaceIds
from relay.tenants.troubles import Trouble, TroubleStore
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review

TEAMS = ("payments", "search")
COMPONENT = {
    "name": "Checkout",
    "url": "https://ops.example.com/services/checkout",
    "lastUpdatedDate": "2026-01-31T09:30:00Z",
}


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start(*TEAMS, simulator=simulator, COMPONENTS_MODULE="on")


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    """A site that both teams are linked to."""
    site = install_from(relay, simulator)
    for workspace in TEAMS:
        answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
        assert answer.status == 200, answer.body
    relay.run_replays()
    return site


def submit(relay: Relay, workspace: str, sequence: int, **more: Any) -> None:
    """Submit an incident and a review with ids that both teams use, and texts that name the
    team.
    """
    summary = {"summary": f"of {workspace}, state {sequence}"} | more
    relay.submit(
        workspace,
        incidents=[incident("same", sequence, **summary)],
        reviews=[review("same", sequence, reviews=["same"], **summary)],
    )


def seen(relay: Relay, site: JiraSite, workspace: str, kind: str = "incident") -> dict[str, str]:
    """The summaries of the site's entities of the workspace, by the site's ids."""
    key = f"{ids_of(relay, workspace).key}."
    held = site.at_site(kind)
    return {one: entity["summary"] for one, entity in held.items() if one.startswith(key)}


def ids_of(relay: Relay, workspace: str) -> WorkspaceIds:
    return relay.links.of_workspace(workspace)[0].ids


def get(relay: Relay, workspace: str, path: str = "incidents/same?confirm=true") -> Any:
    answer = relay.provider(
        "GET", f"/v1/workspaces/{workspace}/{path}", key=relay.key_for(workspace)
    )
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_sites_message_about_another_workspace_is_not_shown_as_the_reason(
    relay: Relay, site: JiraSite
) -> None:
    """The reason may be the site's answer to the other workspace, and contain its data."""
    words = "Jira answered 429: no more of incident-of-search: wait"
    trouble = Trouble("rate_limited", words, False, 1_000, 2_000, 9_999_999_999_999, 1, 429)
    store = TroubleStore(relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"])
    assert store.put(site.id, trouble, None)
    submit(relay, "payments", 5)
    for path in ("incidents/same", "reviews/same"):
        [at_site] = get(relay, "payments", path)["sites"]
        assert (at_site["state"], at_site["reason"]) == ("owed", "Jira answered 429")
    key = relay.key_for("payments")
    for path in ("workspaces/payments/entities?state=owed", f"sites/{site.id}/replay"):
        assert "incident-of-search" not in relay.provider("GET", f"/v1/{path}", key=key).body
    # Nor does the replay's own reason, which every key may read, contain such text.
    assert "incident-of-search" not in relay.provider("GET", f"/v1/sites/{site.id}/replay").body
    assert relay.provider("GET", f"/v1/sites/{site.id}").json()["trouble"]["message"] == words


def test_each_workspaces_entities_exist_side_by_side(relay: Relay, site: JiraSite) -> None:
    submit(relay, "payments", 5)
    submit(relay, "search", 9)
    submit(relay, "search", 9000)
    submit(relay, "payments", 6)

    for kind in ("incident", "review"):
        assert len(site.at_site(kind)) == 2
        [mine] = seen(relay, site, "payments", kind).values()
        [theirs] = seen(relay, site, "search", kind).values()
        assert (mine, theirs) == ("of payments, state 6", "of search, state 9000")
    for workspace, sequence in (("payments", 6), ("search", 9000)):
        [at_site] = get(relay, workspace)["sites"]
        assert at_site["state"] == "accepted"
        assert at_site["updateSequenceNumber"] == sequence
        assert at_site["jira"]["id"] == "same"
        assert at_site["jira"]["summary"] == f"of {workspace}, state {sequence}"


def test_every_id_in_an_entity_has_its_workspaces_key(relay: Relay, site: JiraSite) -> None:
    relay.submit(
        "payments",
        incidents=[incident("i", affectedComponents=["api", "db"])],
        reviews=[review("r", reviews=["i", "j"])],
        properties={"team": "blue"},
    )

    ids = ids_of(relay, "payments")
    [one] = site.at_site("incident").values()
    assert (one["id"], one["affectedComponents"]) == (
        ids.at_site("i"),
        [ids.at_site("api"), ids.at_site("db")],
    )
    [one] = site.at_site("review").values()
    assert (one["id"], one["reviews"]) == (ids.at_site("r"), [ids.at_site("i"), ids.at_site("j")])
    [at_site] = get(relay, "payments", "incidents/i?confirm=true")["sites"]
    assert at_site["jira"]["affectedComponents"] == ["api", "db"]


@pytest.mark.parametrize("known", [True, False], ids=["of both", "never the first one's"])
def test_a_deletion_removes_nothing_of_another_workspace(
    relay: Relay, site: JiraSite, known: bool
) -> None:
    submit(relay, "search", 1)
    if known:
        submit(relay, "payments", 1)

    for path in ("incidents/same", "reviews/same"):
        assert relay.provider("DELETE", f"/v1/workspaces/payments/{path}").status == 202
    relay.run_queue()
    relay.let_delays_pass()
    relay.run_queue()

    for kind in ("incident", "review"):
        assert seen(relay, site, "payments", kind) == {}
        assert list(seen(relay, site, "search", kind).values()) == ["of search, state 1"]
    [at_site] = get(relay, "search")["sites"]
    assert at_site["state"] == "accepted"


def test_another_workspaces_entity_in_jira_is_not_confirmed(relay: Relay, site: JiraSite) -> None:
    """Not even with an id made to look like the other's."""
    submit(relay, "search", 1)
    theirs = ids_of(relay, "search").at_site("same")
    for own_id in ("same", theirs):
        relay.provider("DELETE", f"/v1/workspaces/payments/incidents/{own_id}")
        relay.run_queue()
        [at_site] = get(relay, "payments", f"incidents/{own_id}?confirm=true")["sites"]
        assert at_site["jira"] is None

    relay.submit("payments", incidents=[incident(theirs, 99, summary="mine")])

    assert list(seen(relay, site, "search").values()) == ["of search, state 1"]
    assert list(seen(relay, site, "payments").values()) == ["mine"]


def test_containers_with_the_same_id_are_two_components(relay: Relay, site: JiraSite) -> None:
    for workspace in TEAMS:
        document = {**COMPONENT, "name": f"Checkout of {workspace}"}
        path = f"/v1/workspaces/{workspace}/containers/checkout"
        assert relay.provider("PUT", path, document).status == 200
    relay.run_queue()
    own = {workspace: ids_of(relay, workspace).at_site("checkout") for workspace in TEAMS}

    found = relay.jira(site.site, "GET", "/containers/search?searchQuery=Checkout").json()
    assert {one["id"]: one["name"] for one in found["containers"]} == {
        own[workspace]: f"Checkout of {workspace}" for workspace in TEAMS
    }
    held = site.at_site("component")
    assert {one: held[one]["name"] for one in held} == {
        own[workspace]: f"Checkout of {workspace}" for workspace in TEAMS
    }

    assert relay.provider("DELETE", "/v1/workspaces/payments/containers/checkout").status == 204
    relay.run_queue()

    assert site.at_site("component").keys() == {own["search"]}


@pytest.mark.parametrize("query", ["", "service"])
def test_no_workspaces_containers_crowd_out_anothers_in_a_search(
    relay: Relay, site: JiraSite, query: str
) -> None:
    """However many there are, with better matches and later updates."""
    many = [
        {**COMPONENT, "id": f"service-{number}", "name": "Service"} for number in range(RESULTS_MAX)
    ]
    path = "/v1/workspaces/payments/containers"
    assert relay.provider("POST", path, {"containers": many}).status == 200
    few = [
        {
            **COMPONENT,
            "id": f"few-{number}",
            "name": "The other's service",
            "lastUpdatedDate": "2020-01-31T09:30:00Z",
        }
        for number in range(3)
    ]
    path = "/v1/workspaces/search/containers"
    assert relay.provider("POST", path, {"containers": few}).status == 200

    found = relay.jira(site.site, "GET", f"/containers/search?searchQuery={query}").json()
    names = [one["name"] for one in found["containers"]]

    # In the order of every search.
    assert names == ["Service"] * (RESULTS_MAX - 3) + ["The other's service"] * 3


def test_an_association_is_sent_to_its_own_workspace(relay: Relay, site: JiraSite) -> None:
    for workspace in TEAMS:
        submit(relay, workspace, 1)
    issue = {"ati": "ati:cloud:jira:issue", "id": "10068"}

    for own_id in (ids_of(relay, "payments").at_site("same"), "same", "nobodys1.same"):
        body = {"entity": {"id": own_id}, "associatedWith": issue}
        assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204

    [mine] = get(relay, "payments", "incidents/same")["sites"]
    [theirs] = get(relay, "search", "incidents/same")["sites"]
    assert [one["id"] for one in mine["associations"]] == ["10068"]
    assert "associations" not in theirs


def test_a_review_is_created_for_the_incident_that_jira_names(relay: Relay, site: JiraSite) -> None:
    for workspace in TEAMS:
        submit(relay, workspace, 1)
    ids = ids_of(relay, "search")

    answer = relay.jira(
        site.site, "POST", f"/post-incident-reviews/new?incident={ids.at_site('same')}"
    )
    assert answer.status == 201, answer.body
    made = answer.json()["review"]
    assert (made["id"], made["reviews"]) == (
        ids.at_site("review-of-same"),
        [ids.at_site("same")],
    )
    assert "of search" in made["summary"]
    unkeyed = relay.jira(site.site, "POST", "/post-incident-reviews/new?incident=same")
    assert (unkeyed.status, unkeyed.error_code) == (404, "unknown_incident")


def test_a_workspaces_key_never_changes(relay: Relay, site: JiraSite) -> None:
    before = ids_of(relay, "payments")
    path = f"/v1/sites/{site.id}/workspaces/payments"
    assert relay.provider("DELETE", path).status == 204
    assert relay.provider("DELETE", "/v1/workspaces/payments").status == 204
    relay.put_workspace("payments", "Another one of this name")
    assert relay.provider("PUT", path).status == 200

    assert ids_of(relay, "payments") == before
    assert ids_of(relay, "search").key != before.key


def test_an_id_leaves_room_for_the_key(relay: Relay) -> None:
    longest = "x" * 246
    relay.queue("payments", incidents=[incident(longest, affectedComponents=[longest])])
    body = {"incidents": [incident("x" * 247), incident("i", affectedComponents=["y" * 247])]}
    answer = relay.provider("POST", "/v1/workspaces/payments/submissions", body).json()
    details = [verdict["details"][0] for verdict in answer["verdicts"]]
    assert [(one["path"], one["rule"]) for one in details] == [
        ("incidents[0].id", "string_too_long"),
        ("incidents[1].affectedComponents[0]", "string_too_long"),
    ]


def test_the_workspace_property_is_relays_own(relay: Relay, site: JiraSite) -> None:
    path = "/v1/workspaces/payments/submissions"
    for properties in (
        {"relayWorkspace": ids_of(relay, "search").key},
        {f"p{number}": "" for number in range(5)},
    ):
        body = {"incidents": [incident()], "properties": properties}
        answer = relay.provider("POST", path, body)
        assert (answer.status, answer.error_code) == (400, "bad_request")
    own = {f"p{number}": "" for number in range(4)}
    relay.submit("payments", incidents=[incident()], properties=own)
    assert len(seen(relay, site, "payments")) == 1
