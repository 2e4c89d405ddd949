"""A source that is made, changed, deleted and called at the same moment."""

from typing import Any

import pytest

from tests.integration.relay_stage import Relay, Start
from tests.sources.samples import samples
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.lambdas import Answer

SOURCE = "/v1/workspaces/payments/sources/one"
FIRING = samples("alertmanager")["firing"]
ALERTS: dict[str, Any] = {"kind": "alertmanager"}
PAGERDUTY = {"kind": "pagerduty", "secret": "the secret that PagerDuty shows"}


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments")


def put(relay: Relay, document: Any) -> Answer:
    return relay.provider("PUT", SOURCE, document)


def call(relay: Relay, url: str, payload: Any = FIRING) -> int:
    return relay.call("POST", url.removeprefix(relay.gateway.url), payload).status


def places(relay: Relay, prefix: str) -> list[str]:
    table = relay.aws.environment["CATALOG_TABLE"]
    items = relay.aws.dynamodb.scan(TableName=table)["Items"]
    return [item["pk"]["S"] for item in items if item["pk"]["S"].startswith(prefix)]


def test_of_two_kinds_at_once_one_is_made(relay: Relay, calls: AwsCalls) -> None:
    rival: list[Answer] = []
    calls.race("UpdateItem", lambda: rival.append(put(relay, PAGERDUTY)))

    answer = put(relay, ALERTS)

    assert rival[0].status == 200
    assert (answer.status, answer.json()["error"]["details"][0]["rule"]) == (400, "fixed")
    assert relay.provider("GET", SOURCE).json()["kind"] == "pagerduty"


def test_of_two_that_make_a_source_one_gets_its_url(relay: Relay, calls: AwsCalls) -> None:
    rival: list[Answer] = []
    calls.race("UpdateItem", lambda: rival.append(put(relay, ALERTS)))

    answer = put(relay, {**ALERTS, "settings": {"issueKeys": False}})

    assert "url" not in answer.json()
    assert answer.json()["settings"]["issueKeys"] is False
    assert call(relay, rival[0].json()["url"]) == 202


def test_a_change_of_a_source_that_is_deleted_makes_it_with_a_url_that_works(
    relay: Relay, calls: AwsCalls
) -> None:
    old = put(relay, ALERTS).json()["url"]
    calls.race("UpdateItem", lambda: relay.provider("DELETE", SOURCE))

    answer = put(relay, ALERTS)

    assert call(relay, answer.json()["url"]) == 202
    assert call(relay, old) == 401


def test_a_change_without_the_secret_of_a_source_that_is_deleted_is_refused(
    relay: Relay, calls: AwsCalls
) -> None:
    put(relay, PAGERDUTY)
    calls.race("UpdateItem", lambda: relay.provider("DELETE", SOURCE))

    assert put(relay, {"kind": "pagerduty"}).status == 400
    assert relay.provider("GET", SOURCE).status == 404


def test_of_a_source_that_is_deleted_during_a_call_nothing_is_left(
    relay: Relay, calls: AwsCalls
) -> None:
    for payload in (FIRING, {"another": "tool"}):
        url = put(relay, ALERTS).json()["url"]
        calls.race("UpdateItem", lambda: relay.provider("DELETE", SOURCE))
        assert call(relay, url, payload) in (202, 400)
        calls.no_more_trouble()

    assert places(relay, "sourceDelivery#") == places(relay, "refusingSources") == []
    assert places(relay, "sourceAddress#") == []


def test_a_call_of_the_source_before_counts_nothing_at_the_new_one(
    relay: Relay, calls: AwsCalls
) -> None:
    url = put(relay, ALERTS).json()["url"]

    def made_again() -> None:
        relay.provider("DELETE", SOURCE)
        put(relay, ALERTS)

    calls.race("UpdateItem", made_again)
    assert call(relay, url) == 202
    calls.no_more_trouble()

    assert relay.provider("GET", SOURCE).json()["deliveries"]["taken"] == 0


def test_a_source_that_can_not_be_saved_can_be_put_again(relay: Relay, calls: AwsCalls) -> None:
    for at in range(1, 4):
        calls.fail(client_error("InternalServerError"), at=at)
        assert put(relay, PAGERDUTY).status == 503, at
        calls.no_more_trouble()
        assert relay.provider("GET", SOURCE).status == 404

    url = put(relay, PAGERDUTY).json()["url"]
    assert call(relay, url) == 401


@pytest.mark.parametrize("source", ["x" * 2000, "%F0%9F%98%80" * 300, "a%23b", "%00"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/url"),
        ("GET", "/deliveries"),
        ("POST", "/preview"),
        ("POST", "/events"),
    ],
)
def test_an_id_that_no_source_can_have(relay: Relay, source: str, method: str, rest: str) -> None:
    path = f"/v1/workspaces/payments/sources/{source}{rest}"

    assert relay.provider(method, path, {} if method == "POST" else None).status == 400


def test_no_other_route_leads_to_a_source(relay: Relay) -> None:
    url = put(relay, ALERTS).json()["url"].removeprefix(relay.gateway.url)
    for wrong in (f"{url}%00", f"{url}=", url[:-1], url.upper(), f"{url}%2F", f"{url}%252e"):
        assert call(relay, wrong) in (400, 401, 404), wrong
    other = relay.key_for("search")
    assert relay.provider("POST", f"{SOURCE}/events", FIRING, other).status == 403
