"""Jira asks for the names of workspaces: answered for the verified site only."""

from typing import Any
from urllib.parse import quote

import pytest

from relay.catalog.workspaces import WorkspaceDocument, WorkspaceStore
from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import JSON, Relay, Start
from tests.support.lambdas import BASE_URL, Answer
from tests.support.lifecycle import ACME, GLOBEX, Site
from tests.support.tokens import claims, signed_callback

FETCH = "/workspaces/fetch"


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments", "search", "billing", "globex-only", "nobodys")


@pytest.fixture
def acme(relay: Relay) -> Tenant:
    """Linked to payments and search; billing is offered."""
    tenant = relay.install(ACME)
    for workspace in ("payments", "search"):
        relay.links.link(tenant.id, workspace)
    relay.links.offer(tenant.id, "billing")
    return tenant


@pytest.fixture
def globex(relay: Relay) -> Tenant:
    """Shares search with Acme, and has two workspaces of its own."""
    tenant = relay.install(GLOBEX)
    for workspace in ("search", "globex-only"):
        relay.links.link(tenant.id, workspace)
    relay.links.offer(tenant.id, "nobodys")
    return tenant


EVERY_ID = ["payments", "search", "billing", "globex-only", "nobodys", "never-put"]


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [workspace["id"] for workspace in answer.json()["workspaces"]]


def fetched(relay: Relay, site: Site, wanted: list[str]) -> list[list[str]]:
    """The ids by POST, and by GET with both forms of a list."""
    commas = quote(",".join(wanted), safe="")
    repeated = "&".join(f"ids={one}" for one in wanted)
    return [
        ids(relay.jira(site, "POST", FETCH, {"ids": wanted})),
        ids(relay.jira(site, "GET", f"{FETCH}?ids={commas}")),
        ids(relay.jira(site, "GET", f"{FETCH}?{repeated}")),
    ]


@pytest.mark.usefixtures("acme", "globex")
def test_a_site_sees_only_its_linked_and_offered_workspaces(relay: Relay) -> None:
    assert fetched(relay, ACME, EVERY_ID) == [["billing", "payments", "search"]] * 3
    assert fetched(relay, GLOBEX, EVERY_ID) == [["globex-only", "nobodys", "search"]] * 3


@pytest.mark.usefixtures("acme", "globex")
def test_only_requested_ids_are_returned(relay: Relay) -> None:
    assert fetched(relay, ACME, ["search", "globex-only"]) == [["search"]] * 3
    assert fetched(relay, ACME, ["globex-only", "never-put"]) == [[]] * 3
    assert ids(relay.jira(ACME, "POST", FETCH, {"ids": []})) == []


@pytest.mark.usefixtures("acme", "globex")
def test_an_id_of_another_site_is_answered_like_an_unknown_id(relay: Relay) -> None:
    others = relay.jira(ACME, "POST", FETCH, {"ids": ["globex-only"]})
    nobodys = relay.jira(ACME, "POST", FETCH, {"ids": ["never-put"]})
    assert (others.status, others.body) == (nobodys.status, nobodys.body)


@pytest.mark.usefixtures("acme", "globex")
def test_a_get_without_ids_searches_the_sites_own_by_name(relay: Relay) -> None:
    assert ids(relay.jira(ACME, "GET", FETCH)) == ["billing", "payments", "search"]
    assert ids(relay.jira(ACME, "GET", f"{FETCH}?searchQuery=PAY")) == ["payments"]
    assert ids(relay.jira(ACME, "GET", f"{FETCH}?searchQuery=globex")) == []
    assert ids(relay.jira(GLOBEX, "GET", f"{FETCH}?searchQuery=globex")) == ["globex-only"]


@pytest.mark.usefixtures("acme", "globex")
def test_a_get_is_answered_in_both_shapes_that_jira_documents(relay: Relay) -> None:
    """One page of Jira's documents has a POST for workspaces, another a GET for containers."""
    for workspace in ("payments", "billing", "globex-only"):
        document = {
            "id": f"pay-{workspace}",
            "name": f"Payment service of {workspace}",
            "url": f"https://ops.example.com/{workspace}",
            "lastUpdatedDate": "2026-01-31T09:30:00Z",
        }
        path = f"/v1/workspaces/{workspace}/containers"
        assert relay.provider("POST", path, {"containers": [document]}).status == 200
    answer = relay.jira(ACME, "GET", f"{FETCH}?searchQuery=pay").json()
    assert set(answer) == {"workspaces", "containers"}
    assert [one["id"] for one in answer["workspaces"]] == ["payments"]
    (container,) = answer["containers"]
    assert set(container) == {"id", "name", "url", "avatarUrl", "lastUpdatedDate"}
    assert container["url"] == "https://ops.example.com/payments"
    # POST, and GET with ids, return workspaces only.
    assert set(relay.jira(ACME, "POST", FETCH, {"ids": ["payments"]}).json()) == {"workspaces"}
    assert relay.jira(ACME, "GET", f"{FETCH}?ids=payments").json()["containers"] == []


@pytest.mark.usefixtures("acme")
def test_a_name_matches_by_any_part_ignoring_case_and_accents(relay: Relay) -> None:
    relay.put_workspace("payments", "Zürich, Zahlungen")
    parts = ["Zürich, Zahlungen", "zurich, zahlungen", "ZÜRICH", "ich, zahl", "zahlungen"]
    found = [ids(relay.jira(ACME, "GET", f"{FETCH}?searchQuery={quote(part)}")) for part in parts]
    assert found == [["payments"]] * len(parts)


@pytest.mark.usefixtures("acme")
def test_a_workspace_has_jiras_shape(relay: Relay) -> None:
    own = {
        "name": "Payments",
        "url": "https://ops.example.com/payments",
        "avatarUrl": "https://ops.example.com/payments.png",
    }
    assert relay.provider("PUT", "/v1/workspaces/payments", own).status == 200
    answer = relay.jira(ACME, "POST", FETCH, {"ids": ["payments", "search"]})
    with_avatar, without = answer.json()["workspaces"]
    assert with_avatar == {"id": "payments", **own}
    assert without == {
        "id": "search",
        "name": "Search",
        "url": "https://ops.example.com/search",
        "avatarUrl": f"{BASE_URL}/logo.svg",
    }


def test_unlinked_withdrawn_and_deleted_workspaces_are_left_out(relay: Relay, acme: Tenant) -> None:
    relay.links.unlink(acme.id, "payments")
    assert ids(relay.jira(ACME, "GET", FETCH)) == ["billing", "search"]
    relay.links.withdraw_offer(acme.id, "billing")
    assert ids(relay.jira(ACME, "GET", FETCH)) == ["search"]
    assert relay.provider("DELETE", "/v1/workspaces/search").status == 204
    assert ids(relay.jira(ACME, "GET", FETCH)) == []


def test_a_site_with_more_workspaces_than_one_read_returns_sees_all(
    relay: Relay, acme: Tenant
) -> None:
    many = [f"team-{number:03}" for number in range(101)]
    store = WorkspaceStore(relay.aws.dynamodb, relay.aws.environment["CATALOG_TABLE"])
    document = WorkspaceDocument(name="Team", url="https://ops.example.com/team")
    for workspace in many:
        store.put(workspace, document)
        relay.links.offer(acme.id, workspace)
    assert ids(relay.jira(ACME, "POST", FETCH, {"ids": many})) == many


@pytest.mark.usefixtures("acme")
def test_a_body_without_ids_is_refused(relay: Relay, subtests: pytest.Subtests) -> None:
    bodies: list[tuple[Any, str]] = [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b'{"ids": ["\xff"]}', "json_invalid"),
        ([], "model_type"),
        ({}, "missing"),
        ({"ids": "payments"}, "list_type"),
        ({"ids": [1]}, "string_type"),
        ({"ids": [None]}, "string_type"),
        ({"ids": ["x"] * 1001}, "too_long"),
    ]
    for body, rule in bodies:
        with subtests.test(body=str(body)[:20]):
            answer = relay.jira(ACME, "POST", FETCH, body)
            assert (answer.status, answer.error_code) == (400, "bad_request")
            assert [detail["rule"] for detail in answer.json()["error"]["details"]] == [rule]


@pytest.mark.usefixtures("acme")
def test_a_body_may_have_undocumented_fields(relay: Relay) -> None:
    body = {"ids": ["payments"], "cloudId": "x", "user": {"id": "someone"}}
    assert ids(relay.jira(ACME, "POST", FETCH, body)) == ["payments"]


@pytest.mark.usefixtures("acme")
def test_a_token_is_valid_for_its_own_query_only(relay: Relay) -> None:
    signed = signed_callback(ACME.secret, claims(ACME.client_key, "GET", f"{FETCH}?ids=search"))
    headers = {"authorization": f"JWT {signed}"}
    assert relay.call("GET", f"{FETCH}?ids=search", None, headers).status == 200
    for method, url in (("GET", f"{FETCH}?ids=payments"), ("GET", FETCH), ("POST", FETCH)):
        assert relay.call(method, url, None, headers).status == 401


@pytest.mark.usefixtures("acme")
def test_an_api_key_is_not_accepted_as_a_sites_token(relay: Relay) -> None:
    assert relay.provider("POST", FETCH, {"ids": ["payments"]}).status == 401
    assert relay.call("POST", FETCH, {"ids": ["payments"]}, JSON).status == 401
