"""Sentry's webhooks."""

import hashlib
import hmac
import json
from itertools import permutations
from typing import Any

import pytest

from relay.entities.model import newest
from relay.errors import BadRequest, Unauthenticated
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import call, entities, samples, translated

SAMPLES = samples("sentry")
# A space after a colon, and text that is not ASCII: JSON that is written again is another text.
BODY = '{"action": "critical","data":{"metric_alert":{"title":"Überlast"}}}'.encode()
SECRET = "example-secret"


def hook(action: str, **fields: Any) -> dict[str, Any]:
    data = SAMPLES["metric_alert_critical"]["data"]
    alert = {**data["metric_alert"], **fields}
    return {"action": action, "data": {**data, "metric_alert": alert}}


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(headers: dict[str, str]) -> None:
    verify = tool_of("sentry").verify
    assert verify
    verify(call(BODY, headers), SECRET, SourceSettings())


def test_a_critical_alert() -> None:
    assert entities("sentry", SAMPLES["metric_alert_critical"]) == [
        {
            "schemaVersion": "1.0",
            "id": "sentry-4",
            "updateSequenceNumber": 1789302400000002,
            "affectedComponents": ["sentry-checkout"],
            "summary": "Too many errors",
            "description": "1000 events in the last 10 minutes",
            "url": "https://sentry.io/organizations/example/alerts/1/",
            "createdDate": "2026-09-13T12:26:40Z",
            "lastUpdated": "2026-09-13T12:26:40.000002Z",
            "severity": {"level": "P1"},
            "status": "open",
        }
    ]


def test_its_project_becomes_a_container() -> None:
    [service] = translated("sentry", SAMPLES["metric_alert_critical"]).services

    assert (service.id, service.name) == ("sentry-checkout", "checkout")


def test_a_warning() -> None:
    [incident] = entities("sentry", SAMPLES["metric_alert_warning"])

    assert incident["severity"] == {"level": "P3"}
    assert incident["status"] == "open"


def test_a_resolved_alert() -> None:
    [incident] = entities("sentry", SAMPLES["metric_alert_resolved"])

    assert incident["id"] == "sentry-4"
    assert incident["status"] == "resolved"
    assert incident["updateSequenceNumber"] == 1789304200000000
    assert incident["lastUpdated"] == "2026-09-13T12:56:40Z"
    assert "severity" not in incident


@pytest.mark.parametrize("order", list(permutations(["open", "warning", "critical", "resolved"])))
@pytest.mark.parametrize(
    "closed", [None, "2026-09-13T12:20:00Z", "2026-09-13T12:26:40Z", "2026-09-13T13:00:00Z"]
)
def test_in_any_order_the_worst_state_wins_and_then_the_resolved_one(
    order: tuple[str, ...], closed: str | None
) -> None:
    states = [
        state
        for action in order
        for state in translated("sentry", hook(action, date_closed=closed)).states
    ]
    before = [state for state in states if state.entity["status"] == "open"]

    assert [state.entity["severity"] for state in newest(before)] == [{"level": "P1"}]
    assert [state.entity["status"] for state in newest(states)] == ["resolved"]


def test_an_alert_without_a_level() -> None:
    [incident] = entities("sentry", hook("open"))

    assert incident["status"] == "open"
    assert "severity" not in incident


@pytest.mark.parametrize(
    ("payload", "event", "reason"),
    [
        (SAMPLES["issue"], "issue.created", "only metric alerts are incidents"),
        (SAMPLES["error"], "error.created", "only metric alerts are incidents"),
        (SAMPLES["event_alert"], "event.triggered", "only metric alerts are incidents"),
        (SAMPLES["comment"], "comment.created", "only metric alerts are incidents"),
        (SAMPLES["installation"], "installation.created", "only metric alerts are incidents"),
        ({"action": "a", "data": {"new": 1}}, "other.a", "only metric alerts are incidents"),
        (hook("muted"), "metric_alert.muted", "this action is not known"),
    ],
)
def test_ignored_events(payload: dict[str, Any], event: str, reason: str) -> None:
    reading = tool_of("sentry").read(payload, SourceSettings())

    assert not reading.changes
    assert (reading.event, reading.ignored) == (event, reason)


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (hook("critical", id=None), "data.metric_alert.id"),
        (hook("critical", date_created=None), "data.metric_alert.date_created"),
        (hook("critical", date_created=1789302400), "data.metric_alert.date_created"),
        ({"action": "critical", "data": {"metric_alert": None}}, "data.metric_alert"),
        ({"action": "critical"}, "data"),
        ({"data": {}}, "action"),
    ],
)
def test_what_is_required(payload: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("sentry", payload)

    assert [detail.path for detail in refused.value.details] == [path]


def test_what_is_not_required() -> None:
    alert = {"id": "4", "date_created": "2026-09-13T12:26:40Z"}

    [incident] = entities("sentry", {"action": "warning", "data": {"metric_alert": alert}})

    assert incident["summary"] == "Sentry 4"
    assert incident["affectedComponents"] == ["sentry"]
    assert incident["url"] == "https://ops.example.com/payments"


def test_fields_of_other_types_do_not_cost_the_alert() -> None:
    payload = hook("critical", projects=[7, "checkout"], title=None, date_closed=1, identifier=1)
    payload["data"]["description_text"] = ["no text"]

    [incident] = entities("sentry", payload)

    assert incident["affectedComponents"] == ["sentry-checkout"]
    assert incident["description"] == "Too many errors (Sentry 4)"


def test_the_right_signature() -> None:
    verify({"Sentry-Hook-Signature": signature()})


def test_the_time_is_not_signed() -> None:
    verify({"Sentry-Hook-Signature": signature(), "Sentry-Hook-Timestamp": "1"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Sentry-Hook-Signature": signature(json.dumps(json.loads(BODY)).encode())},
        {"Sentry-Hook-Signature": signature(secret="another")},
        {"Sentry-Hook-Signature": "0" * 64},
        {"Sentry-Hook-Signature": "ä"},
        {"Sentry-Hook-Signature": ""},
        {},
    ],
    ids=["JSON written again", "another secret", "wrong", "not ASCII", "empty", "missing"],
)
def test_a_wrong_signature(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        verify(headers)
