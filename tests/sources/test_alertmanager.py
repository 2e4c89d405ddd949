"""Alertmanager's webhooks."""

import json
from typing import Any

import pytest

from relay.errors import BadRequest
from tests.sources.samples import entities, samples, translated

FIRING = samples("alertmanager")["firing"]


def with_alert(number: int, **fields: Any) -> dict[str, Any]:
    alerts = [dict(alert) for alert in FIRING["alerts"]]
    alerts[number] |= fields
    return {**FIRING, "alerts": alerts}


def test_a_firing_and_a_resolved_alert_of_one_group() -> None:
    firing, resolved = entities("alertmanager", FIRING)

    assert firing == {
        "schemaVersion": "1.0",
        "id": "alertmanager-a1bc48475b20e73d-1770337078432",
        "updateSequenceNumber": 1770337078432911,
        "affectedComponents": ["checkout-api"],
        "summary": "Checkout is slow",
        "description": "p99 above 2 s",
        "url": "https://prometheus.example.com/graph?g0.expr=x",
        "createdDate": "2026-02-06T00:17:58.432911Z",
        "lastUpdated": "2026-02-06T00:17:58.432911Z",
        "severity": {"level": "P1"},
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
    }
    assert resolved["status"] == "resolved"
    assert resolved["createdDate"] == "2026-02-06T00:10:58.432911Z"
    assert resolved["lastUpdated"] == "2026-02-06T00:19:58Z"
    assert resolved["updateSequenceNumber"] == 1770337198000000


def test_the_same_episode_keeps_its_id_when_it_is_resolved() -> None:
    firing, _ = entities("alertmanager", FIRING)
    resolved, _ = entities(
        "alertmanager", with_alert(0, status="resolved", endsAt="2026-02-06T01:00:00Z")
    )

    assert resolved["id"] == firing["id"]
    assert resolved["updateSequenceNumber"] > firing["updateSequenceNumber"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"fingerprint": None}, "alerts[0].fingerprint"),
        ({"startsAt": "yesterday"}, "alerts[0].startsAt"),
        ({"startsAt": "0001-01-01T00:00:00Z"}, "alerts[0].startsAt"),
        ({"status": "asleep"}, "alerts[0].status"),
    ],
)
def test_a_bad_alert_leaves_the_good_one(fields: dict[str, Any], path: str) -> None:
    found = translated("alertmanager", with_alert(0, **fields))

    assert [state.entity["status"] for state in found.states] == ["resolved"]
    assert [detail.path for detail in found.refused] == [path]


@pytest.mark.parametrize(
    "text", [b'"\\ud800"', b"NaN", b"1" * 5000, b"[" * 3000 + b"]" * 3000, b'"\xff"']
)
def test_an_alert_that_is_not_json_leaves_the_good_one(text: bytes) -> None:
    body = json.dumps(with_alert(0, fingerprint="@")).encode().replace(b'"@"', text)

    found = translated("alertmanager", body)

    assert [state.entity["status"] for state in found.states] == ["resolved"]
    assert [detail.path for detail in found.refused] == ["alerts[0].fingerprint"]


def test_a_template_of_ones_own_is_refused_with_a_hint() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("alertmanager", {"text": "Checkout is slow"})

    assert "payload" in refused.value.message


def test_alerts_that_were_cut_off_are_named() -> None:
    found = translated("alertmanager", {**FIRING, "truncatedAlerts": 7})

    assert len(found.states) == 2
    assert [detail.rule for detail in found.refused] == ["truncated"]


def test_without_a_service_the_setting_is_the_component() -> None:
    payload = with_alert(0, labels={"alertname": "HighLatency"})

    [incident, _] = entities("alertmanager", payload, component="platform")
    [by_default, _] = entities("alertmanager", payload)

    assert incident["affectedComponents"] == ["platform"]
    assert by_default["affectedComponents"] == ["alertmanager"]


def test_too_many_alerts_are_refused_at_once() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("alertmanager", {**FIRING, "alerts": [{}] * 5001})

    assert [(one.path, one.rule) for one in refused.value.details] == [("alerts", "too_long")]


def test_many_bad_alerts_are_named_by_ten_details() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("alertmanager", {**FIRING, "alerts": [{}] * 5000})

    assert len(refused.value.details) == 10
