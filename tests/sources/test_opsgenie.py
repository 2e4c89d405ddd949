"""Webhooks of Opsgenie and Jira Service Management Operations."""

from typing import Any

import pytest

from relay.errors import BadRequest
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import entities, samples, translated

SAMPLES = samples("opsgenie")


def created(**fields: Any) -> dict[str, Any]:
    return {**SAMPLES["create"], "alert": {**SAMPLES["create"]["alert"], **fields}}


def of_action(action: str) -> dict[str, Any]:
    return {**SAMPLES["close"], "action": action}


def test_an_alert() -> None:
    assert entities("opsgenie", SAMPLES["create"]) == [
        {
            "schemaVersion": "1.0",
            "id": "opsgenie-ec03dad6-62c8-4c94-b38b-d88f398e900f",
            "updateSequenceNumber": 1770000956288000,
            "affectedComponents": ["checkout-api"],
            "summary": "Checkout answers slowly",
            "description": "p99 above 2 s",
            "url": "https://ops.example.com/payments",
            "createdDate": "2026-02-02T02:55:56.288000Z",
            "lastUpdated": "2026-02-02T02:55:56.288000Z",
            "severity": {"level": "P2"},
            "status": "open",
            "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
        }
    ]


def test_a_closed_alert_keeps_its_id_and_its_component() -> None:
    [incident] = entities("opsgenie", SAMPLES["close"])

    assert incident["id"] == "opsgenie-ec03dad6-62c8-4c94-b38b-d88f398e900f"
    assert incident["status"] == "resolved"
    assert incident["updateSequenceNumber"] == 1770001956288000
    assert incident["createdDate"] == "2026-02-02T02:55:56.288000Z"
    assert incident["affectedComponents"] == ["checkout-api"]
    assert incident["description"] == "Checkout answers slowly (Opsgenie alert 2)"


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("Acknowledge", "open"),
        ("UnAcknowledge", "open"),
        ("UpdatePriority", "open"),
        ("UpdateMessage", "open"),
        ("UpdateDescription", "open"),
        ("Close", "resolved"),
        ("Delete", "resolved"),
    ],
)
def test_the_actions(action: str, status: str) -> None:
    [incident] = entities("opsgenie", of_action(action))

    assert incident["status"] == status


@pytest.mark.parametrize(
    "action", ["AddNote", "AddTags", "AssignOwnership", "TakeOwnership", "EscalateNext", "create"]
)
def test_ignored_actions(action: str) -> None:
    reading = tool_of("opsgenie").read(of_action(action), SourceSettings())

    assert not reading.changes
    assert reading.ignored == "this action does not change an incident"


def test_the_sequence_orders_the_actions() -> None:
    names = ["create", "acknowledge", "update_priority", "close", "delete"]
    states = [entities("opsgenie", SAMPLES[name])[0] for name in names]
    sequences = [state["updateSequenceNumber"] for state in states]

    assert sequences == sorted(set(sequences))
    assert states[2]["severity"] == {"level": "P1"}


def test_nanoseconds_beyond_2_to_the_53_are_exact() -> None:
    # As a float, it would be 1770000956288001024: the next microsecond.
    body = b'{"action": "Create", "alert": {"alertId": "a", "updatedAt": 1770000956288000999}}'

    [incident] = entities("opsgenie", body)

    assert incident["updateSequenceNumber"] == 1770000956288000


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("P3", {"level": "P3"}),
        (3, {"level": "P3"}),
        ("p5", {"level": "P5"}),
        (9, {"level": "unknown"}),
        (None, None),
        (True, None),
    ],
)
def test_the_priority(priority: Any, severity: dict[str, str] | None) -> None:
    [incident] = entities("opsgenie", created(priority=priority))

    assert incident.get("severity") == severity


@pytest.mark.parametrize(
    ("fields", "component"),
    [
        ({"tags": ["a", "service:checkout", "service:other"], "entity": "host-7"}, "checkout"),
        ({"tags": ["service:", "service: b "], "entity": "host-7"}, "b"),
        ({"tags": ["service:"], "entity": "host-7"}, "host-7"),
        ({"tags": ["services:a"], "entity": " "}, "opsgenie"),
        ({"tags": None, "entity": None}, "opsgenie"),
    ],
)
def test_the_component(fields: dict[str, Any], component: str) -> None:
    [incident] = entities("opsgenie", created(**fields))

    assert incident["affectedComponents"] == [component]


def test_issue_keys_in_a_tag_and_in_the_texts() -> None:
    [incident] = entities(
        "opsgenie",
        created(tags=["jira:ops-1"], details={}, message="OPS-2", description="see OPS-3"),
    )

    assert incident["associations"][0]["values"] == ["OPS-1", "OPS-2", "OPS-3"]


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (created(alertId=None), "alert.alertId"),
        (created(updatedAt=None), "alert.updatedAt"),
        (created(updatedAt=1.770000956288e18), "alert.updatedAt"),
        (created(updatedAt=10**30), "alert.updatedAt"),
        ({"action": "Create"}, "alert"),
        ({"alert": {}}, "action"),
    ],
)
def test_what_is_required(payload: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("opsgenie", payload)

    assert [detail.path for detail in refused.value.details] == [path]


def test_what_is_not_required() -> None:
    [incident] = entities(
        "opsgenie",
        {"action": "Close", "alert": {"alertId": "a", "updatedAt": 1770000956288000110}},
    )

    assert incident["summary"] == "Opsgenie a"
    assert incident["createdDate"] == incident["lastUpdated"] == "2026-02-02T02:55:56.288000Z"


def test_fields_of_other_types_do_not_cost_the_alert() -> None:
    payload = created(createdAt="soon", tags={}, details=[], tinyId=2, entity=[], message=None)

    [incident] = entities("opsgenie", payload)

    assert incident["summary"] == "Opsgenie ec03dad6-62c8-4c94-b38b-d88f398e900f"
