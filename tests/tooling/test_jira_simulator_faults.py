"""The simulator's faults over HTTP, one by one: what the app sees, and what really happened."""

import itertools
import json
import socket
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.jira_simulator.faults.answers import TokenBucket
from infra.jira_simulator.faults.lists import KINDS
from tests.integration.simulator_stage import (
    JiraSite,
    ProviderApp,
    Simulator,
    component,
    running_simulator,
    until,
)
from tests.support.entities import incident, review

_NUMBERS = itertools.count(1)
_README = Path(__file__).parents[2] / "infra" / "jira_simulator" / "README.md"


@pytest.fixture(autouse=True)
def settings(simulator: Simulator) -> None:
    """Make accepted entities visible immediately, and remove the previous test's faults."""
    simulator.set(visibleAfterSeconds=0, sequencesAfterDeletion="forgotten")
    simulator.control("DELETE", "/faults").raise_for_status()


def installed(simulator: Simulator, app: ProviderApp) -> JiraSite:
    name = f"site-{next(_NUMBERS)}"
    simulator.create(name)
    return JiraSite(simulator, simulator.install(name, app).raise_for_status().json()["site"])


@pytest.fixture
def site(simulator: Simulator, app: ProviderApp) -> JiraSite:
    return installed(simulator, app)


def fail(site: JiraSite, kind: str, seed: int = 0, **parameters: Any) -> None:
    site.simulator.fail(site.name, {"kind": kind, **parameters}, seed=seed)


def stored(site: JiraSite) -> dict[str, Any]:
    """Sequences by kind and id."""
    answer = site.simulator.control("GET", f"/sites/{site.name}/sequences")
    return dict(answer.raise_for_status().json())


def stored_incidents(site: JiraSite) -> list[str]:
    return list(stored(site)["incident"])


def record(site: JiraSite) -> list[tuple[int | None, str | None]]:
    """Status and fault of every call."""
    return [(call["status"], call["fault"]) for call in site.simulator.calls(site.name)]


# --- Answers instead of executing the call ---


@pytest.mark.parametrize(
    "retry_after", [None, "120", "Wed, 21 Oct 2026 07:28:00 GMT", "soon-ish", "-1", "9" * 400, ""]
)
def test_a_rate_limit_sends_the_configured_retry_after(
    site: JiraSite, retry_after: str | None
) -> None:
    parameters: dict[str, Any] = {} if retry_after is None else {"retryAfter": retry_after}
    fail(site, "rate limit", **parameters)
    answer = site.submit(incident())
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == retry_after
    assert answer.json()[0]["message"]
    assert stored_incidents(site) == []
    assert record(site) == [(429, "rate limit")]


def test_a_rate_limit_has_the_headers_of_jira(site: JiraSite) -> None:
    headers = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "2026-10-21T07:28Z",
        "RateLimit-Reason": "jira-cost-based",
    }
    fail(site, "rate limit", headers=headers, retryAfter="7")
    answer = site.submit(incident())
    assert {name: answer.headers[name] for name in headers} == headers
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 409, 500, 502, 503, 504, 599])
def test_an_error_may_have_any_status(site: JiraSite, status: int) -> None:
    fail(site, "error", status=status, retryAfter="4")
    answer = site.submit(incident())
    assert answer.status_code == status
    assert answer.headers["retry-after"] == "4"
    assert stored_incidents(site) == []
    assert record(site) == [(status, "error")]


def test_an_error_is_by_default_a_500_with_jiras_messages(site: JiraSite) -> None:
    fail(site, "error")
    answer = site.submit(incident())
    assert answer.status_code == 500
    assert "retry-after" not in answer.headers
    assert [set(error) for error in answer.json()] == [{"message", "errorTraceId"}]


def test_an_error_may_have_any_body(site: JiraSite) -> None:
    page = "<html><h1>502 Bad Gateway</h1>"
    fail(site, "error", status=502, body=page)
    answer = site.submit(incident())
    assert (answer.text, answer.headers["content-type"]) == (page, "text/html; charset=utf-8")
    fail(site, "error", status=409, body={"errors": [None]})
    assert site.submit(incident()).json() == {"errors": [None]}


def test_an_error_may_have_any_content_type(site: JiraSite) -> None:
    fail(site, "error", status=200, body='{"status":"maintenance"}', contentType="text/json")
    answer = site.submit(incident())
    assert (answer.json(), answer.headers["content-type"]) == (
        {"status": "maintenance"},
        "text/json",
    )


def test_one_site_can_have_a_smaller_body_limit(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    size = len(site.submit(incident()).request.content)
    fail(site, "too large", bytes=size)
    assert site.submit(incident()).status_code == 202
    fail(site, "too large", bytes=size - 1)
    answer = site.submit(incident())
    assert answer.status_code == 413
    assert "too large" in answer.json()[0]["message"]
    assert site.call("GET", "/incidents/inc-1").status_code == 200
    assert record(site)[2:] == [(413, "too large"), (200, None)]
    assert installed(simulator, app).submit(incident()).status_code == 202


def test_a_renamed_site_redirects_to_the_same_call(site: JiraSite) -> None:
    fail(site, "redirect", to="https://new.example.com/jira/")
    answer = site.call("GET", "/linkedWorkspaces?workspaceId=a%2Fb")
    assert answer.status_code == 302
    path = "/rest/operations/1.0/linkedWorkspaces?workspaceId=a%2Fb"
    assert answer.headers["location"] == f"https://new.example.com/jira{path}"
    fail(site, "redirect", status=308)
    answer = site.submit(incident())
    assert answer.status_code == 308
    location = httpx.URL(answer.headers["location"])
    assert (location.host, location.path) == ("renamed.invalid", "/rest/operations/1.0/bulk")
    assert stored_incidents(site) == []
    assert record(site) == [(302, "redirect"), (308, "redirect")]


@pytest.mark.parametrize(("kind", "status"), [("suspended", 503), ("forbidden", 403)])
def test_every_request_is_refused(site: JiraSite, kind: str, status: int) -> None:
    fail(site, kind)
    for call in (site.submit(incident()), site.call("GET", "/linkedWorkspaces")):
        assert call.status_code == status
    assert record(site) == [(status, kind)] * 2
    site.simulator.fail(site.name)
    assert site.submit(incident()).status_code == 202


@pytest.mark.parametrize("path", ["/sites/{name}/faults", "/faults"])
def test_a_secret_stays_revoked_until_the_next_install(
    simulator: Simulator, app: ProviderApp, site: JiraSite, path: str
) -> None:
    other = installed(simulator, app)
    body = {"faults": [{"kind": "revoked secret"}]}
    simulator.control("PUT", path.format(name=site.name), body).raise_for_status()
    for _ in range(2):
        answer = site.submit(incident())
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("JWT")
    simulator.install(site.name, app, newSecret=False).raise_for_status()
    assert site.submit(incident()).status_code == 202
    assert record(site) == [(401, "revoked secret")] * 2 + [(202, None)]
    assert other.submit(incident()).status_code == (401 if path == "/faults" else 202)


def test_a_site_installed_after_the_fault_has_a_valid_secret(
    simulator: Simulator, app: ProviderApp
) -> None:
    simulator.control("PUT", "/faults", {"faults": [{"kind": "revoked secret"}]})
    assert installed(simulator, app).submit(incident()).status_code == 202


# --- The token bucket ---


def test_an_empty_bucket_says_when_a_token_is_available(site: JiraSite) -> None:
    fail(site, "bucket", capacity=3, perSecond=0.001)
    answers = [site.submit(incident(f"inc-{number}")) for number in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].headers["x-ratelimit-limit"] == "3"
    assert 900 < int(answers[3].headers["retry-after"]) <= 1000
    assert "retry-after" not in answers[2].headers
    assert stored_incidents(site) == ["inc-0", "inc-1", "inc-2"]
    assert record(site) == [(202, None)] * 3 + [(429, "bucket")]


def test_a_bucket_can_omit_retry_after(site: JiraSite) -> None:
    fail(site, "bucket", capacity=1, perSecond=0.001, retryAfter=False)
    site.submit(incident())
    answer = site.submit(incident())
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers


def test_a_bucket_refills(site: JiraSite) -> None:
    fail(site, "bucket", capacity=1, perSecond=20)
    site.submit(incident())
    until(lambda: site.submit(incident()).status_code == 202)


def test_every_site_has_its_own_bucket(simulator: Simulator, app: ProviderApp) -> None:
    bucket = {"kind": "bucket", "capacity": 1, "perSecond": 0.001}
    simulator.control("PUT", "/faults", {"faults": [bucket]}).raise_for_status()
    for site in (installed(simulator, app), installed(simulator, app)):
        statuses = [site.submit(incident()).status_code for _ in range(2)]
        assert statuses == [202, 429]


@given(
    capacity=st.integers(1, 20),
    per_second=st.fractions(Fraction(1, 100), 100, max_denominator=100).map(float),
    waits=st.lists(st.floats(0, 30), max_size=40),
)
def test_a_bucket_keeps_its_rate_and_its_promises(
    capacity: int, per_second: float, waits: list[float]
) -> None:
    now = 0.0
    bucket = TokenBucket(capacity, per_second, clock=lambda: now)
    taken = 0
    for wait in waits:
        now += wait
        taken += bucket.take()
        assert 0 <= bucket.remaining < capacity
        assert taken <= capacity + now * per_second + 1e-3
    while bucket.take():
        pass
    seconds = bucket.seconds_to_next
    assert seconds >= 1
    assert seconds - 1 < 1 / per_second
    now += seconds
    assert bucket.take()


# --- In the queue ---


def test_a_slow_answer_is_delayed(site: JiraSite) -> None:
    fail(site, "slow", seconds=0.15)
    assert site.submit(incident()).elapsed.total_seconds() > 0.1
    assert stored_incidents(site) == ["inc-1"]
    assert record(site) == [(202, "slow")]


@pytest.mark.parametrize(("kind", "kept"), [("drop before", []), ("drop after", ["inc-1"])])
def test_a_dropped_connection_has_no_answer(site: JiraSite, kind: str, kept: list[str]) -> None:
    assert site.call("GET", "/linkedWorkspaces").status_code == 200  # the connection is in use
    fail(site, kind, times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        site.submit(incident())
    assert stored_incidents(site) == kept
    assert record(site)[1:] == [(None, kind)]
    counts = site.simulator.control("GET", "/calls").json()["counts"][site.name]
    assert counts["submitEntity"] == {"unanswered": 1}
    assert site.submit(incident()).status_code == 202


def test_a_large_request_is_read_to_its_end_before_the_connection_drops(site: JiraSite) -> None:
    fail(site, "drop before")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        site.call("POST", "/bulk", content=b" " * 3_000_000)
    assert site.simulator.calls(site.name)[0]["bytes"] == 3_000_000


def test_a_hanging_request_is_never_answered(site: JiraSite) -> None:
    fail(site, "hang")
    with pytest.raises(httpx.ReadTimeout):
        site.call("GET", "/linkedWorkspaces", timeout=httpx.Timeout(10, read=1))
    until(lambda: record(site) == [(None, "hang")])
    site.simulator.fail(site.name)
    assert site.submit(incident()).status_code == 202


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_trickling_request_is_executed_and_answered_byte_by_byte(
    site: JiraSite, part: str
) -> None:
    fail(site, "trickle", seconds=0, part=part)
    answer = site.submit(incident())
    assert (answer.status_code, answer.json()) == (202, {"acceptedIncidents": ["inc-1"]})
    assert stored_incidents(site) == ["inc-1"]
    assert site.call("GET", "/incidents/unheard-of").status_code == 404
    assert record(site) == [(202, "trickle"), (404, "trickle")]


@pytest.mark.parametrize(("part", "has_status"), [("headers", False), ("body", True)])
def test_a_slow_trickle_keeps_the_call_open(site: JiraSite, part: str, has_status: bool) -> None:
    site.submit(incident())
    fail(site, "trickle", seconds=60, part=part)
    path = f"/sites/{site.name}/rest/operations/1.0/linkedWorkspaces"
    url = httpx.URL(site.simulator.url)
    with socket.create_connection((url.host, url.port or 80), timeout=1) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: jira\r\n\r\n".encode())
        if has_status:
            assert connection.recv(10_000).startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert record(site)[1:] == [(401, "trickle")]


def test_stopping_ends_hanging_requests(tmp_path: Path, app: ProviderApp) -> None:
    failures: list[httpx.HTTPError] = []

    def submit(site: JiraSite) -> None:
        try:
            site.submit(incident())
        except httpx.HTTPError as error:
            failures.append(error)

    with httpx.Client(timeout=30, trust_env=False) as http, running_simulator(tmp_path) as other:
        site = installed(replace(other, http=http), app)
        fail(site, "hang")
        thread = threading.Thread(target=submit, args=(site,))
        thread.start()
        until(lambda: [call["fault"] for call in other.calls(site.name)] == ["hang"])
    thread.join(timeout=5)
    assert [type(error) for error in failures] == [httpx.RemoteProtocolError]


# --- Single entities ---


def test_chosen_entities_are_refused_and_named(site: JiraSite) -> None:
    fail(site, "refuse entity", ids=["a"], pattern="^b", message="No.")
    answer = site.submit(*[incident(one) for one in ("a", "ab", "b1", "b2", "c")])
    assert answer.status_code == 202
    document = answer.json()
    assert document["acceptedIncidents"] == ["ab", "c"]
    assert list(document["failedIncidents"]) == ["a", "b1", "b2"]
    assert [error["message"] for error in document["failedIncidents"]["a"]] == ["No."]
    assert stored_incidents(site) == ["ab", "c"]
    assert record(site) == [(202, "refuse entity")]
    assert site.submit(incident("c")).status_code == 202
    assert record(site)[1:] == [(202, None)]


def test_reviews_and_components_are_refused_alike(site: JiraSite) -> None:
    fail(site, "refuse entity", ids=["rev-1", "checkout-api"])
    assert list(site.submit(reviews=[review()]).json()["failedIncidents"]) == ["rev-1"]
    assert list(site.submit_components(component()).json()) == ["failedComponents"]


def test_a_request_is_refused_for_one_unnamed_entity(site: JiraSite) -> None:
    fail(site, "refuse request", pattern="poison")
    answer = site.submit(incident("good"), incident("poison-pill"), incident("better"))
    assert answer.status_code == 400
    assert answer.json()[0]["message"]
    assert "poison" not in answer.text
    assert stored_incidents(site) == []
    assert site.submit(incident("good"), incident("better")).status_code == 202
    assert record(site) == [(400, "refuse request"), (202, None)]
    assert site.simulator.calls(site.name)[0]["entities"] == 3


@pytest.mark.parametrize(
    ("choice", "kept"),
    [({"ids": ["b"]}, ["a", "c"]), ({"pattern": "[bc]"}, ["a"]), ({}, []), ({"ids": []}, None)],
)
def test_a_lost_entity_is_accepted_and_not_stored(
    site: JiraSite, choice: dict[str, Any], kept: list[str] | None
) -> None:
    fail(site, "lose", **choice)
    answer = site.submit(incident("a"), incident("b"), incident("c"))
    assert answer.json() == {"acceptedIncidents": ["a", "b", "c"]}
    assert stored_incidents(site) == (["a", "b", "c"] if kept is None else kept)
    assert record(site) == [(202, None if kept is None else "lose")]
    site.simulator.fail(site.name)
    site.submit(incident("b"))
    assert "b" in stored_incidents(site)


def test_an_invalid_entity_fails_even_if_all_are_lost(site: JiraSite) -> None:
    fail(site, "lose")
    assert list(site.submit(incident(status="closed")).json()) == ["failedIncidents"]


def test_entities_are_lost_at_a_rate(site: JiraSite) -> None:
    fail(site, "lose", rate=0.3, seed=7)
    incidents = [incident(f"inc-{number}") for number in range(1000)]
    assert len(site.submit(*incidents).json()["acceptedIncidents"]) == 1000
    kept = stored_incidents(site)
    assert 600 < len(kept) < 800
    site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()
    fail(site, "lose", rate=0.3, seed=7)
    site.submit(*incidents)
    assert stored_incidents(site) == kept


def test_an_unnamed_entity_is_still_stored(site: JiraSite) -> None:
    fail(site, "unnamed", ids=["a"])
    answer = site.submit(incident("a"), incident("b"))
    assert answer.json() == {"acceptedIncidents": ["b"]}
    assert stored_incidents(site) == ["a", "b"]
    assert record(site) == [(202, "unnamed")]


# --- Calls with a certain entity or text ---


@pytest.mark.parametrize("choice", [{"ids": ["bad"]}, {"pattern": "^b"}, {"text": "</?script>"}])
def test_one_entity_fails_every_request_that_holds_it(
    site: JiraSite, choice: dict[str, Any]
) -> None:
    fail(site, "error", status=403, body="<h1>Blocked</h1>", **choice)
    bad = incident("bad", description="A <script> of ours")
    for incidents in ([bad], [incident("good"), bad]):
        answer = site.submit(*incidents)
        assert (answer.status_code, answer.text) == (403, "<h1>Blocked</h1>")
    assert site.submit(incident("good")).status_code == 202
    assert stored_incidents(site) == ["good"]
    assert record(site) == [(403, "error")] * 2 + [(202, None)]


@pytest.mark.parametrize("kind", ["drop before", "drop after"])
def test_one_entity_breaks_the_connection(site: JiraSite, kind: str) -> None:
    fail(site, kind, ids=["bad"])
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        site.submit(incident("good"), reviews=[review("bad")])
    assert site.submit(incident("good")).status_code == 202
    assert site.call("GET", "/linkedWorkspaces").status_code == 200
    assert [fault for _, fault in record(site)] == [kind, None, None]


@pytest.mark.parametrize("status", [400, 404])
def test_the_deletion_of_one_entity_fails(site: JiraSite, status: int) -> None:
    ids = ["a?b/c", "d"]
    fail(site, "error", status=status, operations=["deleteIncidentById"], ids=ids[:1])
    site.submit(*[incident(one) for one in ids])
    answers = [site.call("DELETE", f"/incidents/{quote(one, safe='')}") for one in ids]
    assert [answer.status_code for answer in answers] == [status, 202]
    assert stored_incidents(site) == ids[:1]


def test_a_fault_matches_text_in_path_and_query_too(site: JiraSite) -> None:
    fail(site, "error", text="workspaceIds=a&|/incidents/a/b$")
    for path in ("/incidents/a%2Fb", "/linkedWorkspaces/bulk?workspaceIds=a%26b"):
        assert site.call("DELETE", path).status_code == 500
        assert site.call("DELETE", path.replace("a%2", "b%2")).status_code == 202


# --- Answers in other shapes ---


def test_an_unreadable_answer_is_not_json(site: JiraSite) -> None:
    fail(site, "unreadable")
    answer = site.submit(incident())
    assert answer.status_code == 202
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert stored_incidents(site) == ["inc-1"]
    assert site.submit(incident(), colour="red").json()[0]["message"]
    fail(site, "unreadable", body="<html>")
    assert site.submit(incident("inc-2")).text == "<html>"
    assert record(site) == [(202, "unreadable"), (400, None), (202, "unreadable")]


def test_unknown_keys_are_answered_beside_separate_reviews(site: JiraSite) -> None:
    plain = {"acceptedIncidents", "failedIncidents", "unknownProjectKeys"}
    fail(site, "unknown keys")
    answer = site.submit(
        incident("inc-1"),
        incident("bad", status="closed"),
        reviews=[review("rev-1"), review("worse", status="closed")],
    )
    assert answer.status_code == 202
    document = answer.json()
    assert document["acceptedIncidents"] == ["inc-1"]
    assert document["acceptedReviews"] == ["rev-1"]
    assert list(document["failedIncidents"]) == ["bad"]
    assert list(document["failedReviews"]) == ["worse"]
    assert set(document) - plain - {"acceptedReviews", "failedReviews"}
    linked = site.call("POST", "/linkedWorkspaces/bulk", json={"workspaceIds": ["w"]}).json()
    assert linked["acceptedWorkspaceIds"] == ["w"]
    assert set(linked) != {"acceptedWorkspaceIds"}
    assert site.submit_components(component()).json()["acceptedComponents"] == ["checkout-api"]
    assert site.call("DELETE", "/incidents/inc-1").content == b""
    assert record(site) == [(202, "unknown keys")] * 3 + [(202, None)]


@pytest.mark.parametrize("zipped", [False, True])
def test_an_oversized_answer_is_the_normal_one_with_padding(site: JiraSite, zipped: bool) -> None:
    fail(site, "oversized", bytes=3_000_000, gzip=zipped)
    answer = site.submit(incident())
    assert (answer.status_code, answer.json()) == (202, {"acceptedIncidents": ["inc-1"]})
    assert len(answer.content) > 3_000_000
    assert (int(answer.headers["content-length"]) < 10_000) is zipped
    assert record(site) == [(202, "oversized")]


def test_cookies_are_set_and_received_ones_recorded(site: JiraSite) -> None:
    site.simulator.fail(
        site.name, {"kind": "cookie"}, {"kind": "unreadable"}, {"kind": "error", "times": 1}
    )
    for status in (500, 202):
        answer = site.submit(incident())
        assert (answer.status_code, answer.cookies["session"]) == (status, site.name)
        site.simulator.http.cookies.clear()
    headers = {"Cookie": "session=other; a=b"}
    site.call("GET", "/linkedWorkspaces", headers=headers)
    cookies = [call["cookie"] for call in site.simulator.calls(site.name)]
    assert cookies == [None, None, "session=other; a=b"]


# --- Calls that a fault affects ---


def statuses(site: JiraSite, calls: int = 60) -> list[int]:
    return [site.call("GET", "/linkedWorkspaces").status_code for _ in range(calls)]


def test_the_same_seed_gives_the_same_faults(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    faults = [
        {"kind": "error", "status": 503, "rate": 0.3},
        {"kind": "rate limit", "rate": 0.3},
    ]

    def at(where: JiraSite, seed: int) -> list[int]:
        simulator.fail(where.name, *faults, seed=seed)
        return statuses(where)

    first = at(site, 7)
    assert set(first) == {200, 429, 503}
    assert at(site, 7) == first
    assert at(installed(simulator, app), 7) == first
    assert at(site, 8) != first


def test_faults_of_all_sites_are_drawn_independently_for_each(
    simulator: Simulator, app: ProviderApp
) -> None:
    one, two = installed(simulator, app), installed(simulator, app)
    body = {"seed": 7, "faults": [{"kind": "error", "rate": 0.5}]}

    def begin() -> None:
        simulator.control("PUT", "/faults", body).raise_for_status()

    begin()
    first = statuses(one)
    second = statuses(two)
    assert first != second
    begin()
    together = [(statuses(one, 1)[0], statuses(two, 1)[0]) for _ in range(60)]
    assert together == list(zip(first, second, strict=True))


@pytest.mark.parametrize(("rate", "expected"), [(0, 200), (1, 500)])
def test_a_rate_may_be_zero_or_one(site: JiraSite, rate: float, expected: int) -> None:
    fail(site, "error", rate=rate)
    assert set(statuses(site, 20)) == {expected}


def test_a_fault_occurs_a_set_number_of_times_and_restarts_when_set_again(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    for _ in range(2):
        fail(site, "error", times=2)
        assert statuses(site, 4) == [500, 500, 200, 200]
    fail(site, "unreadable", times=1)
    assert site.call("GET", "/incidents/inc-1").status_code == 404  # no response to spoil
    assert site.submit(incident()).text != site.submit(incident()).text
    fail(site, "lose", times=1, ids=["inc-3", "inc-4"])
    for number in (2, 3, 4):
        site.submit(incident(f"inc-{number}"))
    assert stored_incidents(site) == ["inc-1", "inc-2", "inc-4"]
    simulator.control("PUT", "/faults", {"faults": [{"kind": "forbidden", "times": 1}]})
    for where in (site, installed(simulator, app)):
        assert statuses(where, 2) == [403, 200]


def test_a_fault_can_be_limited_to_operations(site: JiraSite) -> None:
    fail(site, "error", operations=["submitEntity", "deleteIncidentById"])
    assert site.submit(incident()).status_code == 500
    assert site.submit_components(component()).status_code == 202
    assert site.call("DELETE", "/incidents/inc-1").status_code == 500
    assert site.call("GET", "/incidents/inc-1").status_code == 404
    fail(site, "lose", operations=["submitComponents"])
    site.submit(incident())
    site.submit_components(component("lost"))
    assert stored(site) == {
        "incident": {"inc-1": 1},
        "review": {},
        "component": {"checkout-api": 1},
    }


def test_faults_apply_in_order_until_one_answers(site: JiraSite) -> None:
    site.simulator.fail(
        site.name,
        {"kind": "slow", "seconds": 0},
        {"kind": "lose", "ids": ["a"]},
        {"kind": "unnamed", "ids": ["b"]},
        {"kind": "unreadable"},
        {"kind": "drop after"},
        {"kind": "too large", "bytes": 3000},
        {"kind": "error"},
    )
    assert site.submit(incident()).status_code == 500
    assert site.submit(incident(description="x" * 3000)).status_code == 413
    assert record(site) == [(500, "slow, error"), (413, "slow, too large")]
    site.simulator.fail(
        site.name,
        {"kind": "drop after", "operations": ["submitComponents"]},
        {"kind": "lose", "ids": ["a"]},
        {"kind": "unnamed", "ids": ["b"]},
        {"kind": "unreadable"},
    )
    assert site.submit(incident("a"), incident("b")).status_code == 202
    assert stored_incidents(site) == ["b"]
    with pytest.raises(httpx.RemoteProtocolError):
        site.submit_components(component())
    assert record(site)[2:] == [(202, "lose, unnamed, unreadable"), (None, "drop after")]


def test_a_sites_own_faults_come_before_those_of_all(
    simulator: Simulator, app: ProviderApp, site: JiraSite
) -> None:
    simulator.control("PUT", "/faults", {"faults": [{"kind": "forbidden"}]}).raise_for_status()
    fail(site, "error", times=1)
    assert statuses(site, 2) == [500, 403]
    simulator.control("DELETE", f"/sites/{site.name}/faults").raise_for_status()
    assert statuses(site, 1) == [403]
    assert statuses(installed(simulator, app), 1) == [403]
    simulator.control("DELETE", "/faults").raise_for_status()
    assert statuses(site, 1) == [200]


def test_a_fault_precedes_the_checks_of_token_and_path(site: JiraSite) -> None:
    fail(site, "rate limit")
    assert site.call("GET", "/linkedWorkspaces", headers={}).status_code == 429
    assert site.call("GET", "/nowhere").status_code == 429
    operations = [call["operation"] for call in site.simulator.calls(site.name)]
    assert operations == ["getWorkspaces", "unknown"]


# --- The control endpoint ---


@pytest.mark.parametrize("path", ["/faults", "/sites/{name}/faults"])
def test_a_list_of_faults_is_shown_replaced_and_cleared(
    simulator: Simulator, site: JiraSite, path: str
) -> None:
    path = path.format(name=site.name)
    nothing = {"seed": 0, "faults": []}
    assert simulator.control("GET", path).json() == nothing
    fault = {
        "kind": "slow",
        "seconds": 0.5,
        "rate": 0.5,
        "times": 3,
        "operations": ["submitEntity"],
    }
    document = {"seed": 7, "faults": [fault, {"kind": "error", "body": {"a": [1]}}]}
    answer = simulator.control("PUT", path, document)
    assert (answer.status_code, answer.json()) == (200, document)
    assert simulator.control("GET", path).json() == document
    assert simulator.control("PUT", path, {"faults": []}).json() == nothing
    simulator.control("PUT", path, document)
    deleted = simulator.control("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert simulator.control("GET", path).json() == nothing
    assert simulator.control("DELETE", path).status_code == 204


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be of type object"),
        ({}, "'faults' is a required property"),
        ({"faults": [], "colour": 1}, "'colour'"),
        ({"faults": [], "seed": "7"}, "seed: must be of type integer"),
        ({"faults": [{}]}, "faults[0]: 'kind' is a required property"),
        ({"faults": [{"kind": "fire"}]}, "faults[0].kind: must be one of rate limit, bucket,"),
        ({"faults": [{"kind": "hang", "rate": 1.1}]}, "faults[0].rate: is greater than 1"),
        ({"faults": [{"kind": "hang", "rate": -1}]}, "faults[0].rate: is less than 0"),
        ({"faults": [{"kind": "hang", "times": 0}]}, "faults[0].times: is less than 1"),
        ({"faults": [{"kind": "hang"}, {"kind": "hang", "seconds": 1}]}, "faults[1]: "),
        ({"faults": [{"kind": "hang", "operations": ["x"]}]}, "operations[0]: must be one of"),
        ({"faults": [{"kind": "slow"}]}, "'seconds' is a required property"),
        ({"faults": [{"kind": "bucket", "capacity": 0, "perSecond": 1}]}, "capacity: is less than"),
        ({"faults": [{"kind": "bucket", "capacity": 1, "perSecond": 0}]}, "perSecond: is less"),
        ({"faults": [{"kind": "lose", "pattern": "("}]}, "pattern: is not a valid regex"),
        ({"faults": [{"kind": "hang", "text": "["}]}, "text: is not a valid regex"),
        ({"faults": [{"kind": "oversized", "bytes": 10**9}]}, "bytes: is greater than"),
        ({"faults": [{"kind": "error", "status": 100}]}, "status: is less than 200"),
        ({"faults": [{"kind": "error", "retryAfter": 3}]}, "retryAfter: must be of type string"),
        ({"faults": [{"kind": "error", "retryAfter": "3\n"}]}, "retryAfter: does not match"),
        ({"faults": [{"kind": "rate limit", "headers": {"Connection": "x"}}]}, "the key"),
        ({"faults": [{"kind": "redirect", "to": "ftp://x"}]}, "to: does not match"),
    ],
    ids=str,
)
def test_an_invalid_list_is_400_and_changes_nothing(
    simulator: Simulator, site: JiraSite, document: Any, message: str
) -> None:
    for path in ("/faults", f"/sites/{site.name}/faults"):
        fault = {"faults": [{"kind": "slow", "seconds": 0}]}
        kept = simulator.control("PUT", path, fault).json()
        answer = simulator.control("PUT", path, document)
        assert answer.status_code == 400
        assert message in answer.json()["error"]
        assert simulator.control("GET", path).json() == kept


def test_invalid_json_or_an_unknown_site_is_refused(simulator: Simulator) -> None:
    url = f"{simulator.url}/_control/faults"
    assert simulator.http.put(url, content=b"{").status_code == 400
    for method in ("GET", "PUT", "DELETE"):
        answer = simulator.control(method, "/sites/unheard-of/faults", {"faults": []})
        assert answer.status_code == 404


def test_every_kind_is_in_the_readme() -> None:
    section = _README.read_text("utf-8").partition("| kind |")[2].partition("\n\n")[0]
    named = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert named == list(KINDS)


# --- After a deletion ---

_DELETIONS = [
    ("DELETE", "/incidents/inc-1"),
    ("DELETE", "/bulkByProperties?team=a"),
    ("POST", "forget"),
    ("POST", "uninstall"),
]


def delete(site: JiraSite, app: ProviderApp, method: str, path: str) -> None:
    """Delete incident inc-1 in one way or the other."""
    if method == "DELETE":
        assert site.call(method, path).status_code == 202
        return
    site.simulator.control(method, f"/sites/{site.name}/{path}").raise_for_status()
    if path == "uninstall":
        site.simulator.install(site.name, app).raise_for_status()
        site.refresh()


@pytest.mark.parametrize(("method", "path"), _DELETIONS)
def test_a_forgotten_sequence_may_be_reused(
    site: JiraSite, app: ProviderApp, method: str, path: str
) -> None:
    site.submit(incident(sequence=5), properties={"team": "a"})
    delete(site, app, method, path)
    assert stored_incidents(site) == []
    assert site.submit(incident(sequence=1)).json() == {"acceptedIncidents": ["inc-1"]}
    assert stored(site)["incident"] == {"inc-1": 1}


@pytest.mark.parametrize(("method", "path"), _DELETIONS)
def test_a_remembered_sequence_must_be_exceeded(
    site: JiraSite, app: ProviderApp, method: str, path: str
) -> None:
    site.simulator.set(sequencesAfterDeletion="remembered")
    for sequence in (5, 3):
        site.submit(incident(sequence=sequence), properties={"team": "a"})
    for _ in range(2):
        delete(site, app, method, path)
    for sequence in (1, 4, 5):
        answer = site.submit(incident(sequence=sequence))
        assert (answer.status_code, answer.json()) == (202, {"acceptedIncidents": ["inc-1"]})
        assert stored_incidents(site) == []
    site.submit(incident(sequence=6), reviews=[review("inc-1", 1)])
    assert stored(site) == {"incident": {"inc-1": 6}, "review": {"inc-1": 1}, "component": {}}


@pytest.mark.parametrize("setting", ["forgotten", "remembered"])
@pytest.mark.parametrize("keep", [False, True])
def test_forgetting_a_site_sets_its_own_choice_about_sequences(
    site: JiraSite, setting: str, keep: bool
) -> None:
    site.simulator.set(sequencesAfterDeletion=setting)
    site.submit(incident(sequence=5), reviews=[review()])
    site.submit_components(component())
    site.call("POST", "/linkedWorkspaces/bulk", json={"workspaceIds": ["w"]})
    path = f"/sites/{site.name}/forget"
    document = site.simulator.control("POST", path, {"keepSequences": keep}).json()
    assert document["state"] == "installed"
    assert document["linkedWorkspaces"] == []
    assert stored(site) == {"incident": {}, "review": {}, "component": {}}
    site.submit(incident(sequence=5))
    assert stored_incidents(site) == ([] if keep else ["inc-1"])
    assert site.simulator.control("POST", path, {"keepSequences": 1}).status_code == 400


def test_a_lost_entity_has_no_sequence_to_remember(site: JiraSite) -> None:
    site.simulator.set(sequencesAfterDeletion="remembered")
    fail(site, "lose", times=1)
    site.submit(incident(sequence=5))
    site.submit(incident(sequence=5))
    assert stored(site)["incident"] == {"inc-1": 5}


def test_the_setting_is_validated(simulator: Simulator) -> None:
    changes = {"sequencesAfterDeletion": "lost"}
    answer = simulator.control("PUT", "/settings", changes)
    assert answer.status_code == 400
    assert "must be one of forgotten, remembered" in answer.json()["error"]
    simulator.set(sequencesAfterDeletion="remembered")
    settings = simulator.control("GET", "/settings").json()
    assert settings["sequencesAfterDeletion"] == "remembered"
