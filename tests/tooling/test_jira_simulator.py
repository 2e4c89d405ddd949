"""The Jira simulator over HTTP, with real tokens, against the contract that it implements."""

import itertools
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.jira_simulator import canonical_request
from relay.jira.canonical_request import query_string_hash
from tests.integration.simulator_stage import (
    APP_KEY,
    JiraSite,
    ProviderApp,
    Simulator,
    component,
    running_simulator,
    until,
)
from tests.support.entities import incident, review

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def settings(simulator: Simulator) -> None:
    """Make accepted entities visible immediately, whatever the previous test set."""
    simulator.set(visibleAfterSeconds=0, maxBodyBytes=5 * 1024 * 1024, answerDelaySeconds=0)


@pytest.fixture
def name(simulator: Simulator) -> str:
    """A site without an app."""
    name = f"site-{next(_NUMBERS)}"
    simulator.create(name)
    return name


@pytest.fixture
def site(simulator: Simulator, app: ProviderApp, name: str) -> JiraSite:
    answer = simulator.install(name, app)
    assert answer.status_code == 200, answer.text
    return JiraSite(simulator, answer.json()["site"])


@pytest.fixture(scope="module")
def empty_site(simulator: Simulator, one_app: ProviderApp) -> JiraSite:
    """One site for all tests of refused calls, so that it is always empty."""
    simulator.create("empty")
    return JiraSite(simulator, simulator.install("empty", one_app).json()["site"])


# --- Submitting entities ---


def test_submitted_entities_are_accepted_and_read_back(site: JiraSite) -> None:
    answer = site.submit(incident(), reviews=[review()], properties={"team": "a"})
    assert answer.status_code == 202
    assert answer.json() == {"acceptedIncidents": ["inc-1", "rev-1"]}
    assert site.call("GET", "/incidents/inc-1").json() == incident()
    assert site.call("GET", "/post-incident-reviews/rev-1").json() == review()


def test_a_full_submission_is_accepted(site: JiraSite) -> None:
    incidents = [incident(f"inc-{number}") for number in range(1000)]
    reviews = [review(f"rev-{number}") for number in range(1000)]
    answer = site.submit(*incidents, reviews=reviews)
    assert len(answer.json()["acceptedIncidents"]) == 2000
    assert site.refresh()["incidents"] == {"visible": 1000, "pending": 0}
    assert site.document["reviews"] == {"visible": 1000, "pending": 0}


def test_an_invalid_entity_fails_alone(site: JiraSite) -> None:
    answer = site.submit(incident("good"), incident("bad", status="closed", colour="red"))
    assert answer.status_code == 202
    document = answer.json()
    assert document["acceptedIncidents"] == ["good"]
    messages = [error["message"] for error in document["failedIncidents"]["bad"]]
    assert "status: must be one of open, resolved, unknown" in messages
    assert any("colour" in message for message in messages)
    assert all(error["errorTraceId"] for error in document["failedIncidents"]["bad"])
    assert "unknownProjectKeys" not in document
    assert site.call("GET", "/incidents/bad").status_code == 404


WRONG_FIELDS = [
    {"schemaVersion": "1.1"},
    {"updateSequenceNumber": 1.0},
    {"updateSequenceNumber": True},
    {"updateSequenceNumber": "1"},
    {"updateSequenceNumber": 2**63},
    {"summary": "x" * 256},
    {"description": "x" * 5001},
    {"description": None},
    {"url": "https://ops.example.com/" + "x" * 2000},
    {"url": "/incidents/1"},
    {"url": "https://ops.example.com/a b"},
    {"url": "https://"},
    {"url": "https://ops:80:80/"},
    {"url": "https://[1:2]/"},
    {"createdDate": "2026-01-31"},
    {"createdDate": "2026-02-30T00:00:00Z"},
    {"lastUpdated": "2026-01-31T09:45:00"},
    {"lastUpdated": "2026-01-31T24:00:00Z"},
    {"lastUpdated": "2026-01-31T12:59:60Z"},
    {"affectedComponents": []},
    {"affectedComponents": ["c"] * 101},
    {"affectedComponents": [1]},
    {"severity": {"level": "P6"}},
    {"severity": {}},
    {"severity": {"level": "P1", "colour": "red"}},
    {"severity": None},
    {"status": "in progress"},
    {"associations": []},
    {"associations": [{"associationType": "issueKeys", "values": []}]},
    {"associations": [{"associationType": "issueIdOrKeys", "values": [7]}]},
    {"associations": [{"associationType": "issueIdOrKeys", "values": [], "more": 1}]},
    {"reviews": ["inc-1"]},
]


@pytest.mark.parametrize("fields", WRONG_FIELDS, ids=lambda fields: str(fields)[:50])
def test_an_invalid_field_fails_the_incident(empty_site: JiraSite, fields: dict[str, Any]) -> None:
    assert list(empty_site.submit(incident(**fields)).json()) == ["failedIncidents"]


@pytest.mark.parametrize("field", sorted(set(incident()) - {"id", "severity"}))
def test_a_missing_field_fails_the_incident(empty_site: JiraSite, field: str) -> None:
    entity = incident()
    del entity[field]
    failed = empty_site.submit(entity).json()["failedIncidents"]["inc-1"]
    assert field in failed[0]["message"]


GOOD_FIELDS = [
    {"updateSequenceNumber": -(2**63)},
    {"summary": "é" * 255, "description": "🔥" * 5000},
    {"url": "https://ops.example.com:8443/a%20b?q=1#x"},
    {"url": "http://[::1]/x"},
    {"createdDate": "2026-01-31t09:30:00.123456789z", "lastUpdated": "2016-12-31T18:59:60-05:00"},
    {"severity": {"level": "unknown"}},
    {"affectedComponents": ["c"] * 100},
    {"associations": [{"associationType": "serviceIdOrKeys", "values": ["s"]}]},
]


@pytest.mark.parametrize("fields", GOOD_FIELDS, ids=lambda fields: ",".join(fields))
def test_the_limits_themselves_are_accepted(site: JiraSite, fields: dict[str, Any]) -> None:
    entity = incident(**fields)
    assert site.submit(entity).json() == {"acceptedIncidents": ["inc-1"]}
    assert site.call("GET", "/incidents/inc-1").json() == entity


@pytest.mark.parametrize("fields", [{"status": "open"}, {"reviews": []}, {"severity": {}}], ids=str)
def test_an_invalid_review_is_reported_like_an_incident(
    empty_site: JiraSite, fields: dict[str, Any]
) -> None:
    answer = empty_site.submit(reviews=[review(**fields)])
    assert list(answer.json()["failedIncidents"]) == ["rev-1"]


def test_an_id_longer_than_255_characters_fails_under_its_own_name(empty_site: JiraSite) -> None:
    assert list(empty_site.submit(incident("x" * 256)).json()["failedIncidents"]) == ["x" * 256]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"properties": {"a": "b"}},
        {"incidents": []},
        {"incidents": None},
        {"incidents": "inc-1"},
        {"incidents": [{}]},
        {"incidents": [{"id": 1}]},
        {"incidents": ["inc-1"]},
        {"incidents": [incident(f"inc-{number}") for number in range(1001)]},
        {"reviews": [review(f"rev-{number}") for number in range(1001)]},
        {"incidents": [incident()], "preventTransitions": True},
        {"incidents": [incident()], "operationType": "NORMAL"},
        {"incidents": [incident()], "providerMetadata": {"product": "x", "more": "y"}},
        {"incidents": [incident()], "providerMetadata": {"product": 1}},
        {"incidents": [incident()], "properties": {str(number): "" for number in range(6)}},
        {"incidents": [incident()], "properties": {"a:b": "c"}},
        {"incidents": [incident()], "properties": {"_a": "c"}},
        {"incidents": [incident()], "properties": {"": "c"}},
        {"incidents": [incident()], "properties": {"a": "c" * 256}},
        {"incidents": [incident()], "properties": {"a": 1}},
    ],
    ids=lambda body: json.dumps(body)[-40:],
)
def test_a_malformed_request_is_400(empty_site: JiraSite, body: Any) -> None:
    answer = empty_site.call("POST", "/bulk", json=body)
    assert answer.status_code == 400
    assert all(error["message"] and error["errorTraceId"] for error in answer.json())
    assert empty_site.refresh()["incidents"]["visible"] == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{} {}", b"\xff", b'{"incidents": NaN}', b'"\\ud800"', b"[" * 100_000]
)
def test_what_is_not_json_is_400(empty_site: JiraSite, body: bytes) -> None:
    answer = empty_site.call("POST", "/bulk", content=body)
    assert answer.status_code == 400
    assert "not JSON" in answer.json()[0]["message"]


def test_a_body_over_the_configurable_limit_is_413(simulator: Simulator, site: JiraSite) -> None:
    too_large = b" " * (5 * 1024 * 1024 + 1)
    assert site.call("POST", "/bulk", content=too_large).status_code == 413
    simulator.set(maxBodyBytes=100)
    answer = site.submit(incident())
    assert answer.status_code == 413
    assert "too large" in answer.json()[0]["message"]


def test_only_a_greater_sequence_replaces(site: JiraSite) -> None:
    site.submit(incident(sequence=5, summary="five"), properties={"a": "1"})
    for sequence in (4, 5):
        stale = incident(sequence=sequence, summary="stale")
        answer = site.submit(stale, properties={"a": "2"})
        assert answer.json() == {"acceptedIncidents": ["inc-1"]}
    assert site.call("GET", "/incidents/inc-1").json()["summary"] == "five"
    assert site.entities("incident")["properties"] == {"inc-1": {"a": "1"}}
    site.submit(incident(sequence=6, summary="six"))
    assert site.call("GET", "/incidents/inc-1").json()["summary"] == "six"


def _issues(*values: str) -> dict[str, Any]:
    return {"associations": [{"associationType": "issueIdOrKeys", "values": list(values)}]}


def test_unknown_project_keys_are_named_and_entities_without_others_not_stored(
    site: JiraSite,
) -> None:
    answer = site.submit(
        incident("known", **_issues("OPS-1")),
        incident("both", **_issues("OPS-1", "UTF-8")),
        incident("unknown", **_issues("UTF-8", "ISO-8859")),
        incident("by-id", **_issues("10001")),
        incident("none"),
    )
    assert answer.json() == {
        "acceptedIncidents": ["known", "both", "by-id", "none"],
        "unknownProjectKeys": ["UTF", "ISO"],
    }
    assert site.call("GET", "/incidents/unknown").status_code == 404


def test_a_site_has_the_projects_it_was_created_with(
    simulator: Simulator, app: ProviderApp
) -> None:
    simulator.create("projects", projectKeys=["ABC"])
    site = JiraSite(simulator, simulator.install("projects", app).json()["site"])
    answer = site.submit(incident(**_issues("OPS-1")), incident("inc-2", **_issues("abc-1")))
    assert answer.json() == {"acceptedIncidents": ["inc-2"], "unknownProjectKeys": ["OPS"]}


# --- Eventual consistency ---


def test_a_202_precedes_the_visible_change(simulator: Simulator, site: JiraSite) -> None:
    simulator.set(visibleAfterSeconds=60)
    site.submit(incident())
    assert site.call("GET", "/incidents/inc-1").status_code == 404
    assert "Checkout answers slowly" not in site.page().text
    assert site.refresh()["incidents"] == {"visible": 0, "pending": 1}
    held = site.entities("incident")
    assert (held["entities"], held["pending"]) == ([incident()], ["inc-1"])
    simulator.set(visibleAfterSeconds=0)
    assert site.call("GET", "/incidents/inc-1").status_code == 200
    assert site.refresh()["incidents"] == {"visible": 1, "pending": 0}


def test_the_time_of_acceptance_of_each_incidents_newest_state_is_kept(
    simulator: Simulator, name: str, site: JiraSite
) -> None:
    url = f"{simulator.url}/_control/sites/{name}/accepted"
    started = time.time()
    site.submit(incident("a"), incident("b"), reviews=[review()])
    first = simulator.http.get(url).json()
    site.submit(incident("a"), incident("b", updateSequenceNumber=99))
    second = simulator.http.get(url).json()
    assert first.keys() == second.keys() == {"a", "b"}
    assert started <= first["a"] == second["a"]
    assert first["b"] < second["b"] <= time.time()


def test_a_delete_is_visible_later_too(simulator: Simulator, site: JiraSite) -> None:
    site.submit(incident())
    simulator.set(visibleAfterSeconds=60)
    assert site.call("DELETE", "/incidents/inc-1").status_code == 202
    assert site.call("GET", "/incidents/inc-1").status_code == 200
    simulator.set(visibleAfterSeconds=0)
    assert site.call("GET", "/incidents/inc-1").status_code == 404


def test_the_sequence_of_a_pending_entity_counts(simulator: Simulator, site: JiraSite) -> None:
    simulator.set(visibleAfterSeconds=60)
    site.submit(incident(sequence=2))
    site.submit(incident(sequence=1))
    simulator.set(visibleAfterSeconds=0)
    assert site.call("GET", "/incidents/inc-1").json()["updateSequenceNumber"] == 2


def test_a_pending_entity_becomes_visible_by_itself(simulator: Simulator, site: JiraSite) -> None:
    simulator.set(visibleAfterSeconds=0.1)
    site.submit(incident())
    until(lambda: site.call("GET", "/incidents/inc-1").status_code == 200)


# --- Reading, deleting, workspaces ---


@pytest.mark.parametrize(
    ("path", "entity_id"), [("/incidents", "inc-1"), ("/post-incident-reviews", "rev-1")]
)
def test_get_and_delete(site: JiraSite, path: str, entity_id: str) -> None:
    site.submit(incident(), reviews=[review()])
    assert site.call("GET", f"{path}/{entity_id}").status_code == 200
    for _ in range(2):  # idempotent
        deleted = site.call("DELETE", f"{path}/{entity_id}")
        assert (deleted.status_code, deleted.content) == (202, b"")
    assert site.call("GET", f"{path}/{entity_id}").status_code == 404
    assert site.call("GET", f"{path}/unheard-of").status_code == 404


def test_an_id_is_decoded_only_after_the_path_is_split(site: JiraSite) -> None:
    site.submit(incident("a/b c", url="https://ops.example.com"))
    assert site.call("GET", "/incidents/a%2Fb%20c").json()["id"] == "a/b c"
    assert site.call("GET", "/incidents/a/b%20c").status_code == 404


def test_delete_by_properties_matches_all_of_them(site: JiraSite) -> None:
    site.submit(incident("one"), properties={"account": "1", "project": "a"})
    site.submit(incident("two"), reviews=[review()], properties={"account": "1", "project": "b"})
    answer = site.call("DELETE", "/bulkByProperties?account=1&project=b")
    assert (answer.status_code, answer.content) == (202, b"")
    assert [entity["id"] for entity in site.entities("incident")["entities"]] == ["one"]
    assert site.entities("review")["entities"] == []
    assert site.call("DELETE", "/bulkByProperties?account=1").status_code == 202
    assert site.entities("incident")["entities"] == []


@pytest.mark.parametrize("query", ["", "?_updateSequenceNumber=1", "?a%3Ab=1"])
def test_delete_by_properties_needs_properties(empty_site: JiraSite, query: str) -> None:
    assert empty_site.call("DELETE", f"/bulkByProperties{query}").status_code == 400


def test_workspaces_are_linked_listed_and_unlinked(site: JiraSite) -> None:
    assert site.call("GET", "/linkedWorkspaces").json() == {"workspaceIds": []}
    for _ in range(2):
        linked = site.call("POST", "/linkedWorkspaces/bulk", json={"workspaceIds": ["a", "b", "c"]})
        assert linked.status_code == 202
        assert linked.json() == {"acceptedWorkspaceIds": ["a", "b", "c"]}
    assert site.call("GET", "/linkedWorkspaces?workspaceId=b").json() == {"workspaceIds": ["b"]}
    assert site.call("GET", "/linkedWorkspaces?workspaceId=x").status_code == 404
    for _ in range(2):
        deleted = site.call("DELETE", "/linkedWorkspaces/bulk?workspaceIds=a,b")
        assert (deleted.status_code, deleted.content) == (202, b"")
    assert site.call("GET", "/linkedWorkspaces").json() == {"workspaceIds": ["c"]}
    assert site.refresh()["linkedWorkspaces"] == ["c"]


@pytest.mark.parametrize(
    "body",
    [{}, {"workspaceIds": []}, {"workspaceIds": [1]}, {"workspaceIds": ["w"] * 101}, ["w"]],
    ids=lambda body: str(body)[:30],
)
def test_an_invalid_list_of_workspaces_is_400(empty_site: JiraSite, body: Any) -> None:
    assert empty_site.call("POST", "/linkedWorkspaces/bulk", json=body).status_code == 400


@pytest.mark.parametrize("query", ["", "?workspaceIds=", "?workspaceIds=a,,b"])
def test_deleting_an_empty_list_of_workspaces_is_400(empty_site: JiraSite, query: str) -> None:
    assert empty_site.call("DELETE", f"/linkedWorkspaces/bulk{query}").status_code == 400


def test_unknown_paths_are_404_and_unknown_methods_405(
    simulator: Simulator, empty_site: JiraSite
) -> None:
    assert empty_site.call("GET", "/bulk").status_code == 405
    assert empty_site.call("GET", "/workspace").status_code == 404
    assert simulator.http.post(f"{simulator.url}/sites/nowhere/rest/x").status_code == 404


# --- Authentication ---


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "another-app"}, "iss"),
        ({"iss": None}, "iss"),
        ({"iat": None}, "iat"),
        ({"exp": None}, "exp"),
        ({"qsh": None}, "qsh"),
        ({"qsh": "context-qsh"}, "qsh"),
        ({"qsh": "0" * 64}, "qsh"),
        ({"qsh": query_string_hash("GET", "/rest/operations/1.0/bulk", "")}, "qsh"),
        ({"qsh": query_string_hash("POST", "/rest/operations/1.0/bulk", "x=1")}, "qsh"),
        ({"aud": "another-site"}, "aud"),
        ({"aud": []}, "aud"),
        ({"iat": 1, "exp": 100}, "expired"),
        ({"exp": 4102444800}, "after iat"),
        ({"exp": "soon"}, "exp"),
    ],
    ids=str,
)
def test_an_invalid_claim_is_401(empty_site: JiraSite, claims: dict[str, Any], reason: str) -> None:
    answer = empty_site.call("POST", "/bulk", json={"incidents": [incident()]}, claims=claims)
    assert answer.status_code == 401
    assert reason in answer.json()[0]["message"]
    assert empty_site.entities("incident")["entities"] == []


def test_the_client_key_is_accepted_as_the_audience(empty_site: JiraSite) -> None:
    client_key = empty_site.document["clientKey"]
    for audience in (client_key, [client_key], ["other", client_key]):
        answer = empty_site.call("GET", "/linkedWorkspaces", claims={"aud": audience})
        assert answer.status_code == 200


def test_an_invalid_signature_or_algorithm_is_401(empty_site: JiraSite) -> None:
    secret = empty_site.document["sharedSecret"]

    def refused(key: str, algorithm: str) -> bool:
        def sign(claims: dict[str, Any]) -> str:
            return jwt.encode(claims, key, algorithm=algorithm)

        return empty_site.call("GET", "/linkedWorkspaces", sign=sign).status_code == 401

    assert refused("x" * 43, "HS256")
    assert refused(secret + "x" * 64, "HS512")
    assert refused("", "none")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "JWT"}])
def test_without_a_token_of_the_right_scheme_it_is_401(
    empty_site: JiraSite, headers: dict[str, str]
) -> None:
    answer = empty_site.call("GET", "/linkedWorkspaces", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("JWT")


def test_a_token_in_the_query_is_401_and_not_recorded(
    simulator: Simulator, empty_site: JiraSite
) -> None:
    answer = empty_site.call("GET", "/linkedWorkspaces?jwt=secret-token&a=b")
    assert answer.status_code == 401
    assert simulator.calls(empty_site.name)[-1]["path"].endswith("/linkedWorkspaces?a=b")


def test_a_token_of_another_site_is_401(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    simulator.create("neighbour")
    neighbour = JiraSite(simulator, simulator.install("neighbour", app).json()["site"])
    assert neighbour.call("GET", "/linkedWorkspaces", sign=site.sign).status_code == 401


def test_before_the_install_it_is_401(simulator: Simulator, name: str) -> None:
    site = JiraSite(simulator, simulator.site(name))
    assert site.call("GET", "/linkedWorkspaces").status_code == 401


def test_without_the_module_it_is_403(simulator: Simulator, app: ProviderApp, name: str) -> None:
    app.changes["modules"] = {}
    site = JiraSite(simulator, simulator.install(name, app).json()["site"])
    assert site.document["app"]["modules"] == []
    assert site.call("GET", "/linkedWorkspaces").status_code == 403
    assert site.submit_components(component()).status_code == 403


@pytest.mark.parametrize("missing", ["READ", "WRITE", "DELETE"])
def test_without_its_scope_an_operation_is_403(
    simulator: Simulator, app: ProviderApp, name: str, missing: str
) -> None:
    app.changes["scopes"] = sorted({"READ", "WRITE", "DELETE"} - {missing})
    site = JiraSite(simulator, simulator.install(name, app).json()["site"])
    statuses = {
        "READ": site.call("GET", "/linkedWorkspaces").status_code,
        "WRITE": site.submit(incident()).status_code,
        "DELETE": site.call("DELETE", "/incidents/inc-1").status_code,
    }
    assert {scope for scope, status in statuses.items() if status == 403} == {missing}


# --- Users ---

_PLATFORM = "/rest/api/3"


def _granted(site: JiraSite, account: str, *permissions: str) -> Any:
    body = {"accountId": account, "globalPermissions": permissions}
    answer = site.call("POST", "/permissions/check", api=_PLATFORM, json=body)
    assert answer.status_code == 200
    assert answer.json()["projectPermissions"] == []
    return answer.json()["globalPermissions"]


def test_the_permissions_of_a_sites_users_are_told(simulator: Simulator, site: JiraSite) -> None:
    for account, admin in (("the-admin", True), ("a-member", False)):
        path = f"/sites/{site.name}/users/{account}"
        answer = simulator.control("PUT", path, {"admin": admin})
        assert answer.json()["users"][account] is admin
    assert _granted(site, "the-admin", "ADMINISTER") == ["ADMINISTER"]
    assert _granted(site, "the-admin") == []
    assert _granted(site, "a-member", "ADMINISTER") == []
    assert _granted(site, "nobody", "ADMINISTER") == []
    users = {"the-admin": True, "a-member": False}
    assert users.items() <= site.refresh()["users"].items()
    assert simulator.calls(site.name)[-1]["operation"] == "getBulkPermissions"


@pytest.mark.parametrize("body", [{}, {"accountId": 1}, {"accountId": "x", "permissions": []}])
def test_an_invalid_question_about_permissions_is_400(empty_site: JiraSite, body: Any) -> None:
    answer = empty_site.call("POST", "/permissions/check", api=_PLATFORM, json=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [{}, {"admin": "yes"}, {"admin": True, "name": "x"}])
def test_an_invalid_user_is_400(simulator: Simulator, empty_site: JiraSite, body: Any) -> None:
    path = f"/sites/{empty_site.name}/users/x"
    assert simulator.control("PUT", path, body).status_code == 400


@given(
    path=st.text("/ab%&+~.-", max_size=12).map(lambda text: f"/{text}"),
    query=st.text("ab&=+,%2C~*é ", max_size=20),
)
def test_relay_and_the_simulator_compute_the_same_qsh(path: str, query: str) -> None:
    ours = canonical_request.query_string_hash("get", path, query)
    assert ours == query_string_hash("GET", path, query)


# --- Installing and uninstalling ---


def test_installed_is_signed_with_the_install_key(
    simulator: Simulator, app: ProviderApp, name: str
) -> None:
    before = simulator.site(name)
    document = simulator.install(name, app).json()
    assert [(call["call"], call["status"]) for call in document["calls"]] == [
        ("installed", 200),
        ("enabled", 200),
    ]
    assert document["calls"][0]["body"] == {"heard": "installed"}
    assert document["site"]["state"] == "installed"
    assert document["site"]["app"]["key"] == APP_KEY

    (installed,) = app.named("installed")
    kid = jwt.get_unverified_header(installed.token)["kid"]
    key = simulator.http.get(f"{simulator.url}/install-keys/{kid}").raise_for_status().text
    claims = installed.claims(key, "RS256", audience=app.url)
    assert kid == simulator.kid
    assert claims["iss"] == before["clientKey"] == installed.body["clientKey"]
    assert claims["qsh"] == installed.qsh("/app")
    assert claims["aud"] == [app.url]
    assert "sub" not in claims
    assert installed.body["sharedSecret"] == before["sharedSecret"]
    assert len(before["sharedSecret"]) >= 43
    assert installed.body["baseUrl"] == f"{simulator.url}/sites/{name}"
    assert installed.body["eventType"] == "installed"
    assert installed.body["productType"] == "jira"

    (enabled,) = app.named("enabled")
    assert enabled.claims(before["sharedSecret"], "HS256")["qsh"] == enabled.qsh("/app")
    assert "sharedSecret" not in enabled.body


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"host": "localhost"}, True),
        ({"host": "LOCALHOST:8080"}, True),
        ({"host": "127.0.0.1:1"}, True),
        ({"host": "[::1]:8080"}, True),
        ({"origin": "http://localhost:8080"}, True),
        ({"host": "rebound.example"}, False),
        ({"host": "rebound.example:8080"}, False),
        ({"host": "localhost.rebound.example"}, False),
        ({"host": "127.0.0.1.rebound.example"}, False),
        ({"host": "localhost@rebound.example"}, False),
        ({"host": "[::1"}, False),
        ({"host": ""}, False),
        ({"origin": "https://elsewhere.example"}, False),
        ({"origin": "null"}, False),
    ],
    ids=str,
)
def test_the_control_endpoint_answers_only_its_own_host(
    simulator: Simulator, headers: dict[str, str], is_own: bool
) -> None:
    """Another site's page reaches it by a name that resolves to loopback, or by a form (its
    origin).
    """
    before = len(simulator.control("GET", "/sites").json()["sites"])
    name = f"of-a-page-{uuid4().hex}"
    answer = simulator.http.post(
        f"{simulator.url}/_control/sites", json={"name": name}, headers=headers
    )
    after = len(simulator.control("GET", "/sites").json()["sites"])
    if is_own:
        assert (answer.status_code, after) == (201, before + 1)
    else:
        assert (answer.status_code, after) == (403, before)
        assert set(answer.json()) == {"error"}


def test_an_unknown_install_key_is_404(simulator: Simulator) -> None:
    assert simulator.http.get(f"{simulator.url}/install-keys/fake-kid").status_code == 404


def test_a_refused_install_leaves_the_site_uninstalled(
    simulator: Simulator, app: ProviderApp, name: str
) -> None:
    app.answers["installed"] = 500
    answer = simulator.install(name, app)
    assert answer.status_code == 502
    assert [call["status"] for call in answer.json()["calls"]] == [500]
    assert simulator.site(name)["state"] == "new"


def test_an_accepted_reinstall_changes_the_secret(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    first = site.document
    app.answers["installed"] = 500
    assert simulator.install(site.name, app).status_code == 502
    assert simulator.site(site.name) == first
    assert site.call("GET", "/linkedWorkspaces").status_code == 200

    app.answers.clear()
    again = simulator.install(site.name, app).json()["site"]
    assert again["clientKey"] == first["clientKey"]
    assert again["sharedSecret"] != first["sharedSecret"]
    assert site.call("GET", "/linkedWorkspaces").status_code == 401
    kept = simulator.install(site.name, app, newSecret=False).json()["site"]
    assert kept["sharedSecret"] == again["sharedSecret"]


def test_an_uninstall_forgets_everything(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    simulator.set(visibleAfterSeconds=60)
    site.submit(incident(), reviews=[review()])
    simulator.set(visibleAfterSeconds=0)
    site.call("POST", "/linkedWorkspaces/bulk", json={"workspaceIds": ["w"]})
    app.answers["uninstalled"] = 500  # Jira ignores the status

    answer = simulator.control("POST", f"/sites/{site.name}/uninstall")
    assert [call["call"] for call in answer.json()["calls"]] == ["disabled", "uninstalled"]
    (uninstalled,) = app.named("uninstalled")
    key = simulator.http.get(f"{simulator.url}/install-keys/{simulator.kid}").text
    assert uninstalled.claims(key, "RS256", audience=app.url)["qsh"] == uninstalled.qsh("/app")
    assert site.call("GET", "/incidents/inc-1").status_code == 401

    forgotten = simulator.site(site.name)
    assert forgotten["state"] == "uninstalled"
    assert forgotten["app"] is None
    assert forgotten["incidents"] == forgotten["reviews"] == {"visible": 0, "pending": 0}
    assert forgotten["linkedWorkspaces"] == []
    assert simulator.control("POST", f"/sites/{site.name}/uninstall").status_code == 409

    again = simulator.install(site.name, app).json()["site"]
    assert again["clientKey"] == site.document["clientKey"]
    assert again["sharedSecret"] != site.document["sharedSecret"]


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"authentication": {"type": "none"}},
        {"lifecycle": {}},
        {"modules": {"jiraOperationsInfoProvider": {"key": "x"}}},
    ],
    ids=str,
)
def test_a_descriptor_that_jira_would_refuse_is_400(
    simulator: Simulator, app: ProviderApp, name: str, changes: dict[str, Any]
) -> None:
    app.changes.update(changes)
    assert simulator.install(name, app).status_code == 400
    assert app.received == []


def test_without_a_descriptor_or_an_app_it_is_502(simulator: Simulator, name: str) -> None:
    for url in (f"{simulator.url}/nothing-here", "http://127.0.0.1:9/atlassian-connect.json"):
        body = {"descriptorUrl": url}
        assert simulator.control("POST", f"/sites/{name}/install", body).status_code == 502


def test_actions_are_called_like_jira_does(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    def call(action: str, **fields: Any) -> httpx.Response:
        return simulator.control("POST", f"/sites/{site.name}/call", {"action": action, **fields})

    fetched = call("fetchWorkspaces", body={"ids": ["a"]}, query={"team": "x y", "more": "1"})
    assert (fetched.json()["status"], fetched.json()["body"]) == (200, {"heard": "workspaces"})
    call("searchContainers", query={"searchQuery": "a&b c"})
    call("onEntityAssociated", body={"entity": {"id": "inc-1"}})
    assert [(sent.method, sent.path) for sent in app.received[-3:]] == [
        ("POST", "/app/workspaces"),
        ("GET", "/app/containers"),
        ("PUT", "/app/associated"),
    ]
    for sent in app.received[-3:]:
        assert sent.claims(site.document["sharedSecret"], "HS256")["qsh"] == sent.qsh("/app")
    assert parse_qsl(app.received[-3].query) == [("of", "x y"), ("more", "1")]
    assert app.received[-3].body == {"ids": ["a"]}
    assert app.received[-2].body is None
    assert call("onEntityDisassociated").status_code == 400
    assert call("dance").status_code == 400


# --- The rest of the control endpoint ---


def test_calls_are_counted_with_their_entities(simulator: Simulator, site: JiraSite) -> None:
    incidents = [incident(f"inc-{number}") for number in range(25)]
    for start in (0, 10, 20):
        site.submit(*incidents[start : start + 10])
    site.submit(reviews=[review()])
    site.submit(incident(), preventTransitions=True)
    site.call("GET", "/incidents/inc-1", headers={})

    document = simulator.control("GET", "/calls").json()
    assert document["counts"][site.name] == {
        "submitEntity": {"202": 4, "400": 1},
        "getIncidentById": {"401": 1},
    }
    calls = simulator.calls(site.name)
    assert [call["incidents"] for call in calls] == [10, 10, 5, 0, 1, 0]
    assert [call["entities"] for call in calls] == [10, 10, 5, 1, 1, 0]
    assert calls[0]["method"] == "POST"
    assert calls[0]["path"] == f"/sites/{site.name}/rest/operations/1.0/bulk"
    assert calls[0]["bytes"] > 1000
    assert "preventTransitions" in calls[4]["reason"]

    assert simulator.control("DELETE", "/calls").status_code == 204
    assert simulator.control("GET", "/calls").json() == {"counts": {}, "calls": []}


def test_settings_are_merged_and_checked(simulator: Simulator, name: str) -> None:
    assert simulator.site(name)["state"] == "new"
    changed = simulator.control("PUT", "/settings", {"answerDelaySeconds": 0.5}).json()
    assert changed == simulator.control("GET", "/settings").json()
    assert (changed["answerDelaySeconds"], changed["visibleAfterSeconds"]) == (0.5, 0)
    wrong_changes: list[Any] = [{"colour": 1}, {"maxBodyBytes": 0}, {"visibleAfterSeconds": -1}, []]
    for wrong in wrong_changes:
        assert simulator.control("PUT", "/settings", wrong).status_code == 400
    assert simulator.control("GET", "/settings").json() == changed


def test_answers_can_be_delayed(simulator: Simulator, site: JiraSite) -> None:
    simulator.set(answerDelaySeconds=0.15)
    assert site.submit(incident()).elapsed.total_seconds() > 0.1
    assert simulator.calls(site.name)[-1]["milliseconds"] > 100


def test_sites_are_created_once_and_listed(simulator: Simulator, name: str) -> None:
    listed = simulator.control("GET", "/sites").json()["sites"]
    assert name in [site["name"] for site in listed]
    assert simulator.control("POST", "/sites", {"name": name}).status_code == 409
    wrong_bodies: list[dict[str, Any]] = [
        {"name": "../x"},
        {"name": "A"},
        {"name": "a", "projectKeys": ["a-b"]},
        {},
    ]
    for wrong in wrong_bodies:
        assert simulator.control("POST", "/sites", wrong).status_code == 400
    assert simulator.control("GET", "/sites/unheard-of").status_code == 404
    assert simulator.control("GET", f"/sites/{name}/entities?kind=x").status_code == 400


def test_options_set_the_key_and_settings(tmp_path: Path, simulator: Simulator) -> None:
    key_file = tmp_path / "key.pem"
    key_file.write_text(simulator.pem)
    options = ("--install-key", str(key_file), "--max-body-bytes", "10")
    with running_simulator(tmp_path, *options) as other:
        assert other.kid == simulator.kid
        assert other.control("GET", "/settings").json()["maxBodyBytes"] == 10


# --- Pages ---


def _rows(page: httpx.Response) -> int:
    assert page.status_code == 200
    return len(re.findall(r"<td class=\"subject\">", page.text))


def test_entity_content_is_escaped(site: JiraSite) -> None:
    attack = "<script>alert(1)</script>"
    links = "[good](https://ops.example.com) [bad](javascript:alert(1)) ![image](http://x/y)"
    markdown = f"{attack} **bold** {links}"
    named: dict[str, Any] = {
        "summary": attack,
        "description": markdown,
        "url": "https://ops.example.com/1",
    }
    site.submit(
        incident(attack, affectedComponents=[attack], **named),
        incident("inc-2", url="javascript:alert(1)"),
        reviews=[review(reviews=[attack, "inc-9"], **named)],
    )
    for page in (site.page(), site.page(view="reviews"), site.page(q=attack, id=attack)):
        assert _rows(page) >= 1
        assert "<script" not in page.text
        assert 'href="javascript' not in page.text
        assert "<img" not in page.text
        assert "<strong>bold</strong>" in page.text
        assert '<a href="https://ops.example.com" rel="noopener' in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_lists_can_be_filtered_and_paged(site: JiraSite) -> None:
    def level(number: int) -> dict[str, str]:
        return {"level": "P1" if number < 60 else "P4"}

    site.submit(
        *[incident(f"inc-{number:03}", severity=level(number)) for number in range(120)],
        incident("solved", status="resolved", summary="Printer on fire"),
        reviews=[review(reviews=["inc-001"])],
    )
    assert _rows(site.page()) == 50
    assert _rows(site.page(page=3)) == 21
    assert _rows(site.page(page=99)) == 21
    assert _rows(site.page(page="x")) == 50
    assert "of 60" in site.page(severity="P1").text
    assert _rows(site.page(severity="P1", page=2)) == 10
    assert _rows(site.page(status="resolved")) == 1
    assert _rows(site.page(q="printer ON fire")) == 1
    assert "Nothing matches" in site.page(q="printer", severity="P4").text
    assert _rows(site.page(id="inc-001")) == 1
    assert "?view=reviews&amp;id=rev-1" in site.page(id="inc-001").text
    assert "?view=incidents&amp;id=inc-001" in site.page(view="reviews").text


def test_an_empty_page_says_what_to_do(simulator: Simulator, app: ProviderApp, name: str) -> None:
    page = f"{simulator.url}/sites/{name}"
    assert f"/_control/sites/{name}/install" in simulator.http.get(page).text
    simulator.install(name, app)
    assert f"POST {page}/rest/operations/1.0/bulk" in simulator.http.get(page).text
    simulator.control("POST", f"/sites/{name}/uninstall")
    assert "uninstalled" in simulator.http.get(page).text


def test_the_index_and_the_stylesheet_are_served(simulator: Simulator, name: str) -> None:
    assert f'href="/sites/{name}"' in simulator.http.get(f"{simulator.url}/").text
    assert simulator.http.get(f"{simulator.url}/assets/page.css").status_code == 200
    assert simulator.http.get(f"{simulator.url}/sites/unheard-of").status_code == 404


def test_the_shared_secret_is_on_no_page(simulator: Simulator, site: JiraSite) -> None:
    for page in (site.page(), simulator.http.get(f"{simulator.url}/")):
        assert site.document["sharedSecret"] not in page.text
