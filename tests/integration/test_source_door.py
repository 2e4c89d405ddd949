"""The door for webhooks, called with whatever JSON can hold: no payload makes it fail, and a bad
value never costs a good alert beside it."""

import io
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.senders.signing import SIGNATURES, new_secret
from relay.sources.payload import BODY_BYTES_MAX
from relay.sources.tool import KINDS, tool_of
from relay.telemetry import logger
from tests.integration.relay_stage import Relay, Start
from tests.sources.samples import samples, settings_of
from tests.sources.test_all import ANY_JSON, places, replaced
from tests.support.lambdas import Answer, Context, http_event

MARK = "@@here@@"
# JSON texts that Python's own writer does not write, or that readers stumble over.
RAW = (
    r'"\ud83d"',
    r'"\udc00\ud800"',
    r'{"\ud800": "\ud800"}',
    '"\\u0000"',
    "1" + "0" * 6000,
    "-1" + "0" * 4299,
    "1e999",
    "NaN",
    "-Infinity",
    "[" * 3000 + "]" * 3000,
    '{"a":' * 500 + "1" + "}" * 500,
    '{"id": "1", "id": "2"}',
    '""',
    '"' + "\U0001f600" * 5000 + '"',
    '"../../../etc/passwd"',
    '"9999-12-31T23:59:59.999999999Z"',
    '"9999-12-31T23:59:59Z"',
    '"0001-01-01T00:00:00.000001-23:59"',
    '"2016-12-31T23:59:60Z"',
    '"1969-12-31T23:59:59.9999999Z"',
    "253402300799999",
    "-62135596800000",
    "-1",
    "9223372036854775807000",
)
ANY_TEXT = st.sampled_from(RAW) | ANY_JSON.map(json.dumps)
TIMES = [one for one in RAW if one[:5] in ('"9999', '"0001', '"2016', '"1969') or one[1:].isdigit()]

TIME = re.compile("at$|At$|ime|date|created")

Send = Callable[[bytes], Answer]


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments")


def door(relay: Relay, kind: str) -> Send:
    """A new source, called as its tool does."""
    path = f"/v1/workspaces/payments/sources/{uuid4().hex}"
    secret = new_secret(kind) if tool_of(kind).signing != "none" else None
    document = {"kind": kind, "settings": settings_of(kind)} | (
        {"secret": secret} if secret else {}
    )
    answer = relay.provider("PUT", path, document)
    assert answer.status == 200, answer.body
    address = answer.json()["url"].removeprefix(relay.gateway.url)

    def send(body: bytes) -> Answer:
        headers = {"content-type": "application/json"}
        if secret:
            headers |= SIGNATURES[kind](body, secret)
        return relay.call("POST", address, body, headers)

    return send


def with_raw(payload: Any, place: tuple[Any, ...], raw: str) -> bytes:
    return json.dumps(replaced(payload, place, MARK)).replace(f'"{MARK}"', raw).encode()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_at_any_place_is_taken_or_refused(
    relay: Relay, kind: str, data: st.DataObject
) -> None:
    payload = samples(kind)[data.draw(st.sampled_from(sorted(samples(kind))))]
    place = data.draw(st.sampled_from(places(payload)))
    body = with_raw(payload, place, data.draw(ANY_TEXT))

    answer = door(relay, kind)(body)

    assert answer.status in (202, 400), (body, answer.body)
    relay.run_queue()
    assert relay.dead_letters() == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_at_the_place_of_a_time(relay: Relay, kind: str) -> None:
    send, payload = door(relay, kind), first_taken(kind)
    for place in places(payload):
        if place and TIME.search(str(place[-1])):
            for raw in TIMES:
                answer = send(with_raw(payload, place, raw))
                assert answer.status in (202, 400), (place, raw, answer.body)


@pytest.mark.parametrize("kind", ["alertmanager", "grafana", "custom"])
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_bad_alert_never_costs_a_good_one(relay: Relay, kind: str, data: st.DataObject) -> None:
    payload = samples(kind)["two_alarms" if kind == "custom" else "firing"]
    name = next(name for name, value in payload.items() if isinstance(value, list))
    send = door(relay, kind)
    if len(payload[name]) == 1:
        payload[name] += samples(kind)["no_data"][name]
    alone = send(json.dumps({**payload, name: payload[name][1:]}).encode()).json()["entities"]
    inside = [place for place in places(payload) if place[:2] == (name, 0)]
    raw = data.draw(ANY_TEXT)

    answer = send(with_raw(payload, data.draw(st.sampled_from(inside)), raw))

    assert answer.status == 202, (raw, answer.body)
    assert alone
    assert all(one in answer.json()["entities"] for one in alone), (raw, answer.body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", [r'"cut \ud83d"', "1" + "0" * 6000, "[" * 3000 + "]" * 3000])
def test_a_value_that_relay_does_not_read_costs_nothing(relay: Relay, kind: str, raw: str) -> None:
    """Tools cut long texts in the middle of a character."""
    send = door(relay, kind)
    before = send(json.dumps(first_taken(kind)).encode())
    body = json.dumps({**first_taken(kind), "unknown": MARK}).replace(f'"{MARK}"', raw).encode()

    answer = send(body)

    assert (before.status, answer.status) == (202, 202), answer.body
    assert answer.json()["entities"] == before.json()["entities"] != []


def first_taken(kind: str) -> Any:
    names = ["firing", "fired", "alarm", "two_alarms", "triggered", "created", "create"]
    names += ["metric_alert_critical", "identified"]
    return samples(kind)[next(name for name in names if name in samples(kind))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_not_the_tools(relay: Relay, kind: str) -> None:
    send = door(relay, kind)
    for body in (
        b"",
        b"null",
        b"[]",
        b"[[1], [2, {}]]",
        b"{}",
        b"[" * BODY_BYTES_MAX,
        b'{"a":' * (BODY_BYTES_MAX // 5),
        b'"' * BODY_BYTES_MAX,
        b"\\" * BODY_BYTES_MAX,
        b'{"alerts":[' + b"{}," * (BODY_BYTES_MAX // 3 - 5) + b"{}]}",
    ):
        answer = send(body)

        assert answer.status == 400, (body[:20], answer.body)
    assert relay.waiting() == []


HEADERS = ["", " ", ",", "v1=", "é", "\ud800", "v1=\ud800", "v1,", "v1,é", "v1,====", "v2,A v1,A"]
HEADERS += [
    "t=1,v1=\ud800",
    "t=" + "9" * 20 + ",v1=0",
    "t=-1",
    "nan",
    "inf",
    "1e400",
    "v1=0," * 1500,
]


@pytest.mark.parametrize("kind", SIGNATURES)
def test_a_header_of_any_text_is_no_signature(relay: Relay, kind: str) -> None:
    secret = new_secret(kind)
    path = "/v1/workspaces/payments/sources/one"
    answer = relay.provider("PUT", path, {"kind": kind, "secret": secret})
    address = answer.json()["url"].removeprefix(relay.gateway.url)
    body = json.dumps(first_taken(kind)).encode()
    signed = {name.lower(): value for name, value in SIGNATURES[kind](body, secret).items()}
    for name in signed:
        # Sentry signs only the body.
        for text in HEADERS if name != "sentry-hook-timestamp" else ():
            event = http_event("POST", address, body, {**signed, name: text})
            answered = relay.gateway.functions["source_events"].handler(event, Context())
            assert answered["statusCode"] == 401, (name, text)
    assert relay.waiting() == []
    assert relay.call("POST", address, body, signed).status == 202


@pytest.mark.parametrize("body", ["é", "A", "\ud800"])
def test_a_body_that_is_not_base64(relay: Relay, body: str) -> None:
    path = "/v1/workspaces/payments/sources/one"
    url = relay.provider("PUT", path, {"kind": "alertmanager"}).json()["url"]
    event = http_event("POST", url.removeprefix(relay.gateway.url), b"", {})
    event |= {"body": body, "isBase64Encoded": True}

    answer = relay.gateway.functions["source_events"].handler(event, Context())

    assert answer["statusCode"] == 400


def test_the_answer_about_thousands_of_bad_parts_is_short(relay: Relay) -> None:
    mapping = {"items": "@", "id": "to_string(@)", "status": "'open'", "summary": "'x'"}
    mapping |= {"lastUpdated": "'2026-01-01T00:00:00Z'"}
    mapping |= dict.fromkeys(("description", "url", "severity", "createdDate"), "`[]`")
    path = "/v1/workspaces/payments/sources/own"
    relay.provider("PUT", path, {"kind": "custom", "settings": {"mapping": mapping}})

    answer = relay.provider("POST", f"{path}/events", list(range(5000)))

    assert (answer.status, len(answer.json()["entities"])) == (202, 5000)
    assert len(answer.json()["details"]) == 101
    assert answer.json()["details"][-1]["message"] == "And 19900 more"


def test_each_entity_of_a_delivery_is_in_its_receipt(relay: Relay) -> None:
    send = door(relay, "alertmanager")
    delivered = [send(json.dumps(first_taken("alertmanager")).encode()).json() for _ in range(2)]
    relay.run_queue()

    path = "/v1/workspaces/payments/submissions"
    receipts = [relay.provider("GET", f"{path}/{one['deliveryId']}").json() for one in delivered]

    assert sorted((one["recorded"], one["same"]) for one in receipts) == [(0, 2), (2, 0)]
    assert [one["entities"] for one in receipts] == [2, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_no_reason_and_no_log_quotes_the_payload(
    relay: Relay, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payload may hold secrets, and people's names."""
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    send, payload = door(relay, kind), first_taken(kind)
    for place in places(payload):
        for value in ("canary", ["canary"], {"canary": "canary"}):
            send(json.dumps(replaced(payload, place, value)).encode())

    assert "canary" not in log.getvalue()
    [source] = relay.provider("GET", "/v1/workspaces/payments/sources").json()["sources"]
    path = f"/v1/workspaces/payments/sources/{source['id']}/deliveries"
    listed = relay.provider("GET", f"{path}?state=refused").json()["deliveries"]
    listed += relay.provider("GET", f"{path}?state=ignored").json()["deliveries"]
    assert listed
    assert not [one for one in listed if "canary" in one["reason"]]
