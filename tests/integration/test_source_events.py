"""The door for the webhooks of operations tools: verified, queued, delivered, listed."""

import hashlib
import hmac
import io
import json
import time
from typing import Any

import pytest

from relay.sources.payload import BODY_BYTES_MAX
from relay.telemetry import Metric, logger
from tests.integration.catching_up_stage import put_link
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.sources.samples import samples
from tests.support.aws_calls import AwsCalls, client_error, unreachable
from tests.support.lambdas import Answer, Context, sqs_event

WORKSPACE = "/v1/workspaces/payments"
SECRET = "the secret that PagerDuty shows"
FIRING = samples("alertmanager")["firing"]
TRIGGERED = samples("pagerduty")["triggered"]
FIRST, SECOND = (
    "alertmanager-a1bc48475b20e73d-1770337078432",
    "alertmanager-c2ea85182f28cbd9-1770336658432",
)


class Source:
    """A source of the workspace `payments`, and its tool."""

    def __init__(self, relay: Relay, kind: str, secret: str = "", **settings: Any) -> None:
        self.relay = relay
        self.path = f"{WORKSPACE}/sources/{kind}"
        self.secret = secret
        document = {"kind": kind, "settings": settings} | ({"secret": secret} if secret else {})
        answer = relay.provider("PUT", self.path, document)
        assert answer.status == 200, answer.body
        self.address = answer.json()["url"].removeprefix(relay.gateway.url)

    def send(self, payload: Any, signature: str | None = None, method: str = "POST") -> Answer:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"content-type": "application/json"}
        if self.secret:
            headers["x-pagerduty-signature"] = signature or signed(self.secret, body)
        return self.relay.call(method, self.address, body, headers)

    def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.relay.provider("GET", f"{self.path}/deliveries{query}")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json()["deliveries"]
        return found

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.relay.provider("GET", self.path).json()
        return found


def signed(secret: str, body: bytes) -> str:
    return f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def incident_event(**data: Any) -> dict[str, Any]:
    event = {**TRIGGERED["event"], "data": {**TRIGGERED["event"]["data"], **data}}
    return {"event": event}


@pytest.fixture
def alertmanager(relay: Relay) -> Source:
    return Source(relay, "alertmanager")


@pytest.fixture
def pagerduty(relay: Relay) -> Source:
    return Source(relay, "pagerduty", SECRET)


def test_alerts_arrive_in_jira(relay: Relay, site: JiraSite, alertmanager: Source) -> None:
    answer = alertmanager.send(FIRING)

    assert answer.status == 202, answer.body
    assert answer.json()["state"] == "taken"
    assert [one["id"] for one in answer.json()["entities"]] == [FIRST, SECOND]
    assert relay.run_queue() == []
    held = site.held("incident")
    assert {one: held[one]["status"] for one in held} == {FIRST: "open", SECOND: "resolved"}
    assert set(site.products("incident").values()) == {"Alertmanager"}


def test_a_signed_event_arrives(relay: Relay, site: JiraSite, pagerduty: Source) -> None:
    assert pagerduty.send(TRIGGERED).status == 202

    relay.run_queue()

    assert site.held("incident")["pagerduty-PINC001"]["severity"] == {"level": "P1"}


@pytest.mark.parametrize(
    "signature",
    [
        "v1=" + "0" * 64,
        "v1=",
        "nonsense",
        signed("another secret", json.dumps(TRIGGERED).encode()),
        signed(SECRET, b"another body"),
    ],
)
def test_a_wrong_signature_is_refused(relay: Relay, pagerduty: Source, signature: str) -> None:
    answer = pagerduty.send(TRIGGERED, signature)

    assert (answer.status, answer.error_code) == (401, "unauthenticated")
    assert relay.waiting() == []
    [delivery] = pagerduty.deliveries()
    assert (delivery["state"], delivery["entities"]) == ("refused", [])
    assert "X-PagerDuty-Signature" in delivery["reason"]


def test_an_unsigned_event_is_refused(relay: Relay, pagerduty: Source) -> None:
    answer = relay.call("POST", pagerduty.address, TRIGGERED)

    assert answer.status == 401
    assert relay.waiting() == []


def test_the_signature_is_over_the_bytes_as_they_arrive(pagerduty: Source) -> None:
    body = json.dumps(TRIGGERED, indent=3).encode() + b"\n"

    assert pagerduty.send(body).status == 202


def test_a_new_secret_replaces_the_old_one(relay: Relay, pagerduty: Source) -> None:
    relay.provider("PUT", pagerduty.path, {"kind": "pagerduty", "secret": "the new one"})

    assert pagerduty.send(TRIGGERED).status == 401
    assert (
        pagerduty.send(TRIGGERED, signed("the new one", json.dumps(TRIGGERED).encode())).status
        == 202
    )


@pytest.mark.parametrize("address", ["/sources/x", f"/sources/{'A' * 43}", "/sources/%00"])
def test_an_unknown_address_is_refused(relay: Relay, address: str) -> None:
    assert relay.call("POST", address, FIRING).status in (400, 401)
    assert relay.waiting() == []


def test_a_source_of_a_deleted_workspace_is_refused(relay: Relay, alertmanager: Source) -> None:
    assert relay.provider("DELETE", WORKSPACE).status == 204

    assert alertmanager.send(FIRING).status == 401
    assert relay.waiting() == []


def test_a_body_over_the_limit_is_refused(alertmanager: Source) -> None:
    large = json.dumps(FIRING).encode()
    largest = large + b" " * (BODY_BYTES_MAX - len(large))

    assert alertmanager.send(largest).status == 202
    answer = alertmanager.send(largest + b" ")

    assert (answer.status, answer.error_code) == (413, "too_large")
    assert [one["state"] for one in alertmanager.deliveries()] == ["refused", "taken"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"alerts=1", b'"\xff"', b"[" * 2000, json.dumps(TRIGGERED).encode()]
)
def test_what_is_not_the_tools_is_refused_with_a_reason(
    relay: Relay, alertmanager: Source, body: bytes
) -> None:
    answer = alertmanager.send(body)

    assert answer.status == 400
    assert relay.waiting() == []
    [delivery] = alertmanager.deliveries("?state=refused")
    assert delivery["reason"]


def test_events_without_an_incident_are_ignored_with_a_reason(
    relay: Relay, pagerduty: Source
) -> None:
    ping = {"event": {**TRIGGERED["event"], "event_type": "pagey.ping"}}
    answers = [pagerduty.send(one) for one in (ping, samples("pagerduty")["annotated"])]

    assert [(one.status, one.json()["state"]) for one in answers] == [(202, "ignored")] * 2
    assert answers[0].json()["reason"] == "a test event"
    assert relay.waiting() == []
    assert {one["event"] for one in pagerduty.deliveries("?state=ignored")} == {
        "pagey.ping",
        "incident.annotated",
    }


def test_a_bad_alert_is_named_and_the_good_one_arrives(
    relay: Relay, site: JiraSite, alertmanager: Source
) -> None:
    alerts = [{**FIRING["alerts"][0], "startsAt": "soon"}, FIRING["alerts"][1]]

    answer = alertmanager.send({**FIRING, "alerts": alerts})

    assert answer.status == 202
    assert [one["path"] for one in answer.json()["details"]] == ["alerts[0].startsAt"]
    relay.run_queue()
    assert set(site.held("incident")) == {SECOND}
    [delivery] = alertmanager.deliveries()
    assert delivery["state"] == "taken"
    assert "alerts[0].startsAt" in delivery["reason"]


def test_repeats_and_older_events_change_nothing(
    relay: Relay, site: JiraSite, pagerduty: Source
) -> None:
    resolved = {"event": {**TRIGGERED["event"], "occurred_at": "2026-04-09T16:00:00Z"}}
    resolved["event"]["data"] = {**TRIGGERED["event"]["data"], "status": "resolved"}

    for payload in (resolved, TRIGGERED, resolved, TRIGGERED):
        assert pagerduty.send(payload).status == 202
        relay.run_queue()

    assert site.held("incident")["pagerduty-PINC001"]["status"] == "resolved"


def test_put_is_taken_as_post_is(alertmanager: Source) -> None:
    assert alertmanager.send(FIRING, method="PUT").status == 202


def test_an_api_key_may_replace_the_address(relay: Relay, alertmanager: Source) -> None:
    answer = relay.provider("POST", f"{alertmanager.path}/events", FIRING)

    assert answer.status == 202
    assert len(relay.waiting()) == 1


def test_an_api_key_does_not_replace_the_signature(relay: Relay, pagerduty: Source) -> None:
    assert relay.provider("POST", f"{pagerduty.path}/events", TRIGGERED).status == 401


@pytest.mark.parametrize("error", [client_error("InternalError"), unreachable()], ids=["5xx", "no"])
def test_a_queue_that_fails_is_503_and_nothing_is_noted(
    relay: Relay, alertmanager: Source, calls: AwsCalls, error: Exception
) -> None:
    before = len(calls.given("SendMessage"))
    # Address, source and workspace are read first.
    calls.fail(error, at=3)

    answer = alertmanager.send(FIRING)

    assert answer.status == 503
    assert len(calls.given("SendMessage")) == before + 1
    calls.no_more_trouble()
    assert relay.waiting() == []
    assert alertmanager.deliveries() == []


def test_deliveries_that_can_not_be_noted_are_taken(
    relay: Relay, alertmanager: Source, calls: AwsCalls
) -> None:
    calls.fail(client_error("InternalServerError"), at=4)

    assert alertmanager.send(FIRING).status == 202
    calls.no_more_trouble()
    assert len(relay.waiting()) == 1


def test_the_source_counts_its_deliveries(pagerduty: Source) -> None:
    for payload, signature in (
        (TRIGGERED, None),
        (samples("pagerduty")["annotated"], None),
        (TRIGGERED, "v1=no"),
    ):
        pagerduty.send(payload, signature)

    shown = pagerduty.shown()
    assert shown["deliveries"] == {"taken": 1, "ignored": 1, "refused": 1}
    assert shown["lastDelivery"]["state"] == "refused"
    assert [one["state"] for one in pagerduty.deliveries()] == ["refused", "ignored", "taken"]


def test_deliveries_are_paged(relay: Relay, alertmanager: Source) -> None:
    for _ in range(3):
        alertmanager.send(FIRING)
        time.sleep(0.002)

    path = f"{alertmanager.path}/deliveries"
    first = relay.provider("GET", f"{path}?limit=2").json()
    second = relay.provider("GET", f"{path}?limit=2&after={first['next']}").json()

    ids = [one["id"] for one in first["deliveries"] + second["deliveries"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 3
    assert "next" not in second


@pytest.mark.parametrize("query", ["state=lost", "after=x", "limit=0", "colour=red"])
def test_a_wrong_query_of_deliveries(relay: Relay, alertmanager: Source, query: str) -> None:
    assert relay.provider("GET", f"{alertmanager.path}/deliveries?{query}").status == 400


def test_deliveries_hold_no_body_and_expire(relay: Relay, alertmanager: Source) -> None:
    alertmanager.send(FIRING)

    table = relay.aws.environment["CATALOG_TABLE"]
    items = relay.aws.dynamodb.scan(TableName=table)["Items"]
    [delivery] = [one for one in items if one["pk"]["S"].startswith("sourceDelivery#")]
    assert "Checkout is slow" not in str(delivery)
    two_weeks = 14 * 86_400
    assert abs(int(delivery["expires"]["N"]) - time.time() - two_weeks) < 60


def test_a_source_made_again_has_none_of_the_old_ones_deliveries(
    relay: Relay, alertmanager: Source
) -> None:
    alertmanager.send(FIRING)
    relay.provider("DELETE", alertmanager.path)
    time.sleep(0.002)

    again = Source(relay, "alertmanager")

    assert again.deliveries() == []


def test_a_service_becomes_a_container(relay: Relay, site: JiraSite, pagerduty: Source) -> None:
    pagerduty.send(TRIGGERED)
    relay.run_queue()

    [container] = relay.provider("GET", f"{WORKSPACE}/containers").json()["containers"]
    assert (container["id"], container["name"]) == ("pagerduty-PSVC001", "Checkout API")
    found = relay.jira(
        site.site, "GET", "/containers/search?searchQuery=check&workspaceId=" + "payments"
    )
    assert found.status == 200


def test_a_renamed_service_renames_the_container_a_person_put_stays(
    relay: Relay, pagerduty: Source
) -> None:
    def service(name: str, at: str) -> dict[str, Any]:
        data = {"id": "PSVC001", "type": "service", "summary": name}
        event = {"event_type": "service.updated", "occurred_at": at, "data": data}
        return {"event": event}

    def name() -> str:
        path = f"{WORKSPACE}/containers/pagerduty-PSVC001"
        return str(relay.provider("GET", path).json()["name"])

    pagerduty.send(service("Checkout", "2026-04-09T10:00:00Z"))
    relay.run_queue()
    assert name() == "Checkout"
    pagerduty.send(service("Checkout API", "2026-04-09T11:00:00Z"))
    pagerduty.send(service("Till", "2026-04-09T09:00:00Z"))
    relay.run_queue()
    assert name() == "Checkout API"
    search = f"{WORKSPACE}/containers?query=checkout"
    assert len(relay.provider("GET", search).json()["containers"]) == 1
    container = {
        "name": "Our checkout",
        "url": "https://ops.example.com/checkout",
        "lastUpdatedDate": "2026-01-01T00:00:00Z",
    }
    relay.provider("PUT", f"{WORKSPACE}/containers/pagerduty-PSVC001", container)
    pagerduty.send(service("Checkout 2", "2026-04-09T12:00:00Z"))
    relay.run_queue()
    assert name() == "Our checkout"


def test_services_are_no_containers_if_switched_off(relay: Relay) -> None:
    source = Source(relay, "alertmanager", makeContainers=False)
    source.send(FIRING)
    relay.run_queue()

    assert relay.provider("GET", f"{WORKSPACE}/containers").json() == {"containers": []}


def test_services_are_no_components_while_that_module_is_off(
    relay: Relay, site: JiraSite, alertmanager: Source
) -> None:
    alertmanager.send(FIRING)
    relay.run_queue()

    assert [path.rpartition("/rest/")[2] for _, path in site.calls()] == ["operations/1.0/bulk"]


def test_services_are_components_with_that_module_on(start: Start, simulator: Simulator) -> None:
    relay = start("payments", simulator=simulator, COMPONENTS_MODULE="on")
    site = install_from(relay, simulator)
    put_link(relay, site, "payments")
    relay.run_replays()
    source = Source(relay, "alertmanager")

    for _ in range(2):
        source.send(FIRING)
        relay.run_queue()

    calls = [one for one in simulator.calls(site.name) if one["operation"] == "submitComponents"]
    # Once: nothing has changed in the second.
    assert [call["components"] for call in calls] == [1]


def test_many_long_names_do_not_hold_up_the_delivery(
    relay: Relay, site: JiraSite, alertmanager: Source
) -> None:
    alerts = [
        {
            **FIRING["alerts"][0],
            "fingerprint": f"{number:016x}",
            "labels": {"service": f"{number} {'abcdefgh' * 25}"},
        }
        for number in range(60)
    ]
    assert alertmanager.send({**FIRING, "alerts": alerts}).status == 202

    assert relay.run_queue() == []

    assert len(site.held("incident")) == 60
    page = relay.provider("GET", f"{WORKSPACE}/containers").json()["containers"]
    assert 0 < len(page) < 60


def test_logs_hold_neither_address_nor_secret_nor_payload(
    pagerduty: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    pagerduty.send(TRIGGERED)
    pagerduty.send(TRIGGERED, "v1=wrong")

    logged = log.getvalue()
    assert "A source was called" in logged
    for secret in (pagerduty.address.rpartition("/")[2], SECRET, "Checkout", "v1=wrong"):
        assert secret not in logged


def test_a_refusing_source_is_counted_after_an_hour(
    relay: Relay, pagerduty: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> float:
        sweeper = relay.gateway.functions["sweeper"]
        return float(sweeper.deliveries.refusing())

    pagerduty.send(TRIGGERED, "v1=no")
    assert counted() == 0
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3_700)
    assert counted() == 1
    pagerduty.send(TRIGGERED)
    assert counted() == 0
    pagerduty.send(TRIGGERED, "v1=no")
    assert counted() == 0
    monkeypatch.setattr(time, "time", lambda: now + 200_000)
    assert counted() == 0


# --- CloudWatch's alarms, from the queue that EventBridge fills ---

ALARM = samples("cloudwatch")["alarm"]


def alarm_event(state: str, minute: int, previous: str = "OK") -> dict[str, Any]:
    detail = {
        **ALARM["detail"],
        "state": {"value": state, "timestamp": f"2026-11-20T20:{minute:02}:00.000+0000"},
        "previousState": {
            "value": previous,
            "timestamp": f"2026-11-20T20:{minute - 1:02}:00.000+0000",
        },
    }
    return {**ALARM, "detail": detail}


def from_queue(relay: Relay, *events: Any) -> list[str]:
    """The ids of the messages that return to the queue."""
    bodies = [one if isinstance(one, str) else json.dumps(one) for one in events]
    answer = relay.gateway.functions["source_events"].handler(sqs_event(*bodies), Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_an_alarm_is_one_incident_until_it_is_ok(relay: Relay, site: JiraSite) -> None:
    source = Source(relay, "cloudwatch")

    assert from_queue(relay, alarm_event("ALARM", 10)) == []
    assert from_queue(relay, alarm_event("INSUFFICIENT_DATA", 11, "ALARM")) == []
    assert from_queue(relay, alarm_event("ALARM", 12, "INSUFFICIENT_DATA")) == []
    relay.run_queue()
    assert [one["status"] for one in site.held("incident").values()] == ["open"]
    assert from_queue(relay, alarm_event("OK", 20, "INSUFFICIENT_DATA")) == []
    relay.run_queue()

    assert [one["status"] for one in site.held("incident").values()] == ["resolved"]
    states = [one["state"] for one in source.deliveries()]
    assert states == ["taken", "taken", "ignored", "taken"]


def test_the_same_alarm_by_url(relay: Relay, site: JiraSite) -> None:
    source = Source(relay, "cloudwatch")

    assert source.send(alarm_event("ALARM", 10)).status == 202
    assert from_queue(relay, alarm_event("OK", 20, "ALARM")) == []
    relay.run_queue()

    assert [one["status"] for one in site.held("incident").values()] == ["resolved"]


def test_the_service_of_an_alarm_is_a_component_that_jira_accepts(
    start: Start, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    relay = start("payments", simulator=simulator, COMPONENTS_MODULE="on")
    site = install_from(relay, simulator)
    put_link(relay, site, "payments")
    relay.run_replays()
    Source(relay, "cloudwatch")

    assert from_queue(relay, alarm_event("ALARM", 10)) == []
    relay.run_queue()

    [call] = [one for one in simulator.calls(site.name) if one["operation"] == "submitComponents"]
    assert call["components"] == 1
    # Jira answers 202 in either case.
    assert Metric.COMPONENTS_REFUSED.value.name not in capsys.readouterr().out


def test_an_event_that_is_refused_is_listed_and_does_not_return(relay: Relay) -> None:
    source = Source(relay, "cloudwatch")

    assert from_queue(relay, "nonsense", {"source": "aws.ec2"}) == []

    assert [one["state"] for one in source.deliveries()] == ["refused", "refused"]


def test_an_event_returns_while_its_source_does_not_exist(relay: Relay) -> None:
    assert from_queue(relay, alarm_event("ALARM", 10)) == ["message-0"]
    Source(relay, "cloudwatch")
    assert from_queue(relay, alarm_event("ALARM", 10)) == []


def test_an_event_returns_while_aws_fails(relay: Relay, calls: AwsCalls) -> None:
    Source(relay, "cloudwatch")
    for at in range(5):
        calls.fail(client_error("InternalServerError"), at=at)
        assert from_queue(relay, alarm_event("ALARM", 10)) == ["message-0"], at
        calls.no_more_trouble()
    assert from_queue(relay, alarm_event("ALARM", 10)) == []
    assert len(relay.waiting()) == 1


def test_two_events_of_an_alarm_at_once(relay: Relay, site: JiraSite, calls: AwsCalls) -> None:
    """The second is taken between the first one's read and its write."""
    Source(relay, "cloudwatch")
    calls.race("PutItem", lambda: from_queue(relay, alarm_event("OK", 20, "ALARM")))

    assert from_queue(relay, alarm_event("ALARM", 10)) == []

    calls.no_more_trouble()
    relay.run_queue()
    open_ones = [one for one in site.held("incident").values() if one["status"] == "open"]
    assert open_ones == []
