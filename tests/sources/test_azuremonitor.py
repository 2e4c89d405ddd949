"""Azure Monitor's webhooks."""

from typing import Any

import pytest

from relay.errors import BadRequest
from tests.sources.samples import entities, samples, translated

SAMPLES = samples("azuremonitor")
FIRED = SAMPLES["fired"]


def with_essentials(name: str = "fired", /, **fields: Any) -> dict[str, Any]:
    data = SAMPLES[name]["data"]
    return {**SAMPLES[name], "data": {**data, "essentials": {**data["essentials"], **fields}}}


def test_a_fired_alert() -> None:
    [incident] = entities("azuremonitor", FIRED)

    assert incident == {
        "schemaVersion": "1.0",
        "id": "azuremonitor-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e",
        "updateSequenceNumber": 1774187904371321,
        "affectedComponents": ["azuremonitor"],
        "summary": "checkout-latency",
        "description": "Checkout answers slowly",
        "url": "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade"
        "/alertId/%2Fsubscriptions%2F00000000-0000-4000-8000-000000000000%2Fproviders"
        "%2FMicrosoft.AlertsManagement%2Falerts%2Faaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e",
        "createdDate": "2026-03-22T13:58:24.371321Z",
        "lastUpdated": "2026-03-22T13:58:24.371321Z",
        "severity": {"level": "P2"},
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
    }


def test_it_keeps_its_id_when_it_is_resolved() -> None:
    [incident] = entities("azuremonitor", SAMPLES["resolved"])

    assert incident["id"] == "azuremonitor-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
    assert incident["status"] == "resolved"
    assert incident["createdDate"] == "2026-03-22T13:58:24.371321Z"
    assert incident["lastUpdated"] == "2026-03-22T14:03:16.224631Z"
    assert incident["updateSequenceNumber"] == 1774188196224631


@pytest.mark.parametrize("time", [None, "", "2026-03-22T13:00:00Z", 7])
def test_the_resolution_comes_after_the_alert_though_it_has_no_time(time: Any) -> None:
    [fired] = entities("azuremonitor", FIRED)
    [resolved] = entities("azuremonitor", with_essentials("resolved", resolvedDateTime=time))

    assert resolved["status"] == "resolved"
    assert resolved["updateSequenceNumber"] == fired["updateSequenceNumber"] + 1


def test_a_log_alert_without_a_description() -> None:
    [incident] = entities("azuremonitor", SAMPLES["log_alert"])

    assert incident["description"] == "error-logs (Azure Monitor alert error-logs)"
    assert "associations" not in incident


@pytest.mark.parametrize(
    ("severity", "level"),
    [("Sev0", "P1"), ("Sev1", "P2"), ("Sev2", "P3"), ("Sev3", "P4"), ("Sev4", "P5")],
)
def test_the_severity_counts_from_0(severity: str, level: str) -> None:
    [incident] = entities("azuremonitor", with_essentials(severity=severity))

    assert incident["severity"] == {"level": level}


def test_the_settings_name_a_severity_as_azure_does() -> None:
    payload = with_essentials(severity="Sev3")

    [own] = entities("azuremonitor", payload, severities={"sev3": "P1"})
    [other] = entities("azuremonitor", payload, severities={"sev2": "P1"})

    assert own["severity"] == {"level": "P1"}
    assert other["severity"] == {"level": "P4"}


def test_the_component_is_the_setting() -> None:
    [incident] = entities("azuremonitor", FIRED, component="platform")

    assert incident["affectedComponents"] == ["platform"]


def test_another_schema_is_refused_with_a_hint() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("azuremonitor", {"schemaId": "AzureMonitorMetricAlert", "data": {}})

    assert "common alert schema" in refused.value.message
    assert refused.value.error_code == "wrong_payload"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"alertId": None}, "data.essentials.alertId"),
        ({"alertId": "/subscriptions/"}, "data.essentials.alertId"),
        ({"firedDateTime": None}, "data.essentials.firedDateTime"),
        ({"firedDateTime": "2026-03-22"}, "data.essentials.firedDateTime"),
        ({"firedDateTime": "9999-12-31T23:59:59.999999Z"}, "data.essentials.firedDateTime"),
    ],
)
def test_what_is_needed_is_refused_by_name(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("azuremonitor", with_essentials(**fields))

    assert [detail.path for detail in refused.value.details] == [path]


@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}])
def test_optional_fields_of_another_type_cost_nothing_else(value: Any) -> None:
    essentials = FIRED["data"]["essentials"]
    others = [name for name in essentials if name not in ("alertId", "firedDateTime")]
    payload = with_essentials(**dict.fromkeys(others, value))
    payload["data"] |= {"customProperties": value, "alertContext": value}

    [incident] = entities("azuremonitor", payload)

    assert incident["id"] == "azuremonitor-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
    assert incident["status"] == "open"
