"""CloudWatch's events, one at a time; tests of episodes have more than one."""

from typing import Any

import pytest

from relay.errors import BadRequest
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import entities, samples, translated

SAMPLES = samples("cloudwatch")
ALARM = SAMPLES["alarm"]


def with_detail(name: str = "alarm", /, **fields: Any) -> dict[str, Any]:
    return {**SAMPLES[name], "detail": {**SAMPLES[name]["detail"], **fields}}


def ignored(payload: Any) -> str:
    reading = tool_of("cloudwatch").read(payload, SourceSettings())
    assert not reading.changes
    return reading.ignored


def test_an_alarm() -> None:
    [incident] = entities("cloudwatch", ALARM)

    assert incident == {
        "schemaVersion": "1.0",
        "id": "cloudwatch-123456789012-eu-west-1-CheckoutLatency-1795206933000",
        "updateSequenceNumber": 1795206933000000,
        "affectedComponents": ["cloudwatch"],
        "summary": "CheckoutLatency",
        "description": "Checkout answers slowly OPS-12",
        "url": "https://eu-west-1.console.aws.amazon.com/cloudwatch/deeplink.js?region=eu-west-1"
        "#alarmsV2:alarm/CheckoutLatency",
        "createdDate": "2026-11-20T20:35:33Z",
        "lastUpdated": "2026-11-20T20:35:33Z",
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
    }


def test_ok_ends_the_episode_that_began_with_the_state_before() -> None:
    [incident] = entities("cloudwatch", SAMPLES["ok"])

    assert incident["id"] == "cloudwatch-123456789012-eu-west-1-CheckoutLatency-1795206933000"
    assert incident["status"] == "resolved"
    assert incident["createdDate"] == "2026-11-20T20:35:33Z"
    assert incident["lastUpdated"] == "2026-11-20T20:45:33.250000Z"
    assert incident["updateSequenceNumber"] == 1795207533250000


def test_a_composite_alarm_with_tags() -> None:
    [incident] = entities("cloudwatch", SAMPLES["composite"])

    assert incident == {
        "schemaVersion": "1.0",
        "id": "cloudwatch-123456789012-us-gov-west-1-Checkout=2Fall=20services-1795208400000",
        "updateSequenceNumber": 1795208400000000,
        "affectedComponents": ["checkout-api"],
        "summary": "Checkout/all services",
        "description": "CheckoutLatency transitioned to ALARM",
        "url": "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/deeplink.js"
        "?region=us-gov-west-1#alarmsV2:alarm/Checkout%2Fall%20services",
        "createdDate": "2026-11-20T21:00:00Z",
        "lastUpdated": "2026-11-20T21:00:00Z",
        "severity": {"level": "P1"},
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-13"]}],
    }


def test_the_console_of_china() -> None:
    [incident] = entities("cloudwatch", {**ALARM, "region": "cn-north-1"})

    assert incident["url"].startswith("https://cn-north-1.console.amazonaws.cn/cloudwatch/")


@pytest.mark.parametrize(
    ("name", "written"), [("100% & #1?", "100%25%20%26%20%231%3F"), ("Störung", "St%C3%B6rung")]
)
def test_any_name_of_an_alarm_is_in_the_url(name: str, written: str) -> None:
    [incident] = entities("cloudwatch", with_detail(alarmName=name))

    assert incident["url"].endswith(f"#alarmsV2:alarm/{written}")


def test_the_severity_is_the_one_that_the_settings_have_for_the_alarm() -> None:
    [named] = entities("cloudwatch", ALARM, severities={"checkoutlatency": "P2"})
    [other] = entities("cloudwatch", ALARM, severities={"critical": "P2"})
    [tag] = entities("cloudwatch", SAMPLES["composite"], severities={"critical": "P2"})
    [both] = entities(
        "cloudwatch",
        SAMPLES["composite"],
        severities={"critical": "P2", "Checkout/all services": "P3"},
    )

    assert named["severity"] == {"level": "P2"}
    assert "severity" not in other
    assert tag["severity"] == {"level": "P2"}
    assert both["severity"] == {"level": "P3"}


def test_without_data_nothing_changes() -> None:
    assert ignored(SAMPLES["insufficient_data"]) == "only ALARM and OK change an incident"


def test_other_events_of_cloudwatch_are_ignored() -> None:
    assert ignored(SAMPLES["configuration_change"]) == "not the state change of an alarm"


def test_an_ok_after_no_alarm_is_ignored_with_the_reason() -> None:
    before = {"value": "INSUFFICIENT_DATA", "timestamp": "2026-11-20T20:00:00.000+0000"}

    found = translated("cloudwatch", with_detail("ok", previousState=before))

    assert not found.states
    assert not found.services
    assert found.ignored == "the alarm was not in alarm before"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"source": "aws.ec2"}, "source"),
        ({"source": None}, "source"),
        ({"detail-type": None}, "detail-type"),
        ({"account": None}, "account"),
        ({"account": "12345678901/"}, "account"),
        ({"region": ""}, "region"),
        ({"region": "example.com/"}, "region"),
        ({"detail": None}, "detail"),
    ],
)
def test_what_is_needed_of_an_event_is_refused_by_name(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("cloudwatch", {**ALARM, **fields})

    assert [detail.path for detail in refused.value.details] == [path]
    assert refused.value.error_code == "wrong_payload"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"alarmName": None}, "detail.alarmName"),
        ({"alarmName": "x" * 256}, "detail.alarmName"),
        ({"state": None}, "detail.state"),
        ({"state": {"value": "ALARM"}}, "detail.state.timestamp"),
        ({"state": {"value": "ALARM", "timestamp": "now"}}, "detail.state.timestamp"),
        ({"state": {"timestamp": "2026-11-20T20:35:33.000+0000"}}, "detail.state.value"),
    ],
)
def test_what_is_needed_of_an_alarm_is_refused_by_name(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("cloudwatch", with_detail(**fields))

    assert [detail.path for detail in refused.value.details] == [path]


@pytest.mark.parametrize("value", [None, 7, "x", ["x"], {"x": 1}, {"value": 1, "timestamp": 1}])
def test_optional_fields_of_another_type_cost_nothing_else(value: Any) -> None:
    names = ("previousState", "configuration", "alarmTags")
    payload = with_detail(**dict.fromkeys(names, value)) | {"resources": value, "time": value}

    [incident] = entities("cloudwatch", payload)

    assert incident["id"] == "cloudwatch-123456789012-eu-west-1-CheckoutLatency-1795206933000"
    assert incident["description"].startswith("Threshold Crossed")
