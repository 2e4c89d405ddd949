"""Grafana's webhooks."""

import hashlib
import hmac
from typing import Any

import pytest

from relay.errors import BadRequest, Unauthenticated
from relay.sources.payload import read_payload
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import call, entities, samples, translated

SAMPLES = samples("grafana")
FIRING = SAMPLES["firing"]
HEADER = "X-Grafana-Alerting-Signature"
# The constants are those of the test of Grafana's own signer, grafana/alerting http/hmac.go.
SECRET, BODY = "secret", b"test message"
SIGNATURE = "3bcebf43c85d20bba6e3b6ba278af1d2ba3ab0d57de271b0ad30b833e851c5a6"
SIGNATURE_AT_0 = "ac18a483a582b60a883e974541afe25aa1026136163e94665649743324183ef1"


def verify(headers: dict[str, str], at: float = 0, body: bytes = BODY, **settings: Any) -> None:
    verify = tool_of("grafana").verify
    assert verify
    verify(call(body, headers, at), SECRET, SourceSettings.model_validate(settings))


def with_alert(**fields: Any) -> dict[str, Any]:
    return {**FIRING, "alerts": [FIRING["alerts"][0] | fields]}


def test_a_firing_alert() -> None:
    [incident] = entities("grafana", FIRING)

    assert incident == {
        "schemaVersion": "1.0",
        "id": "grafana-1-c6eadffa33fcdf37-1791791463157",
        "updateSequenceNumber": 1791791463157076,
        "affectedComponents": ["grafana"],
        "summary": "This alert was triggered for zone us-1",
        "description": "The system has high memory usage",
        "url": "https://grafana.example.com/alerting/1afz29v7z/edit",
        "createdDate": "2026-10-12T07:51:03.157076Z",
        "lastUpdated": "2026-10-12T07:51:03.157076Z",
        "status": "open",
    }


def test_it_keeps_its_id_when_it_is_resolved() -> None:
    [firing] = entities("grafana", FIRING)
    [resolved] = entities("grafana", SAMPLES["resolved"])

    assert resolved["id"] == firing["id"]
    assert resolved["status"] == "resolved"
    assert resolved["createdDate"] == firing["createdDate"]
    assert resolved["lastUpdated"] == "2026-10-12T08:05:00Z"
    assert resolved["updateSequenceNumber"] == 1791792300000000


def test_another_organization_has_alerts_of_its_own() -> None:
    [one] = entities("grafana", FIRING)
    [other] = entities("grafana", {**FIRING, "orgId": 2**60 + 1})

    assert other["id"] == one["id"].replace("-1-", "-1152921504606846977-", 1)


def test_an_alert_about_missing_data_is_an_alert_like_others() -> None:
    [incident] = entities("grafana", SAMPLES["no_data"])

    assert incident["summary"] == "No data for OPS-12"
    assert incident["description"] == "No data for OPS-12 (Grafana alert DatasourceNoData)"
    assert incident["severity"] == {"level": "P3"}
    assert incident["affectedComponents"] == ["checkout-api"]
    assert incident["associations"][0]["values"] == ["OPS-13", "OPS-12"]


@pytest.mark.parametrize(
    ("missing", "url"),
    [
        ([], "https://grafana.example.com/d/memory?viewPanel=2"),
        (["panelURL"], "https://grafana.example.com/d/memory"),
        (["panelURL", "dashboardURL"], "https://grafana.example.com/alerting/1afz29v7z/edit"),
        (["panelURL", "dashboardURL", "generatorURL"], "https://grafana.example.com/"),
    ],
)
def test_the_url_is_the_nearest_page(missing: list[str], url: str) -> None:
    alert = SAMPLES["no_data"]["alerts"][0] | dict.fromkeys(missing, "")

    [incident] = entities("grafana", {**FIRING, "alerts": [alert]})

    assert incident["url"] == url


def test_a_test_alert_is_ignored() -> None:
    reading = tool_of("grafana").read(SAMPLES["test"], SourceSettings())

    assert (reading.changes, reading.ignored) == ([], "a test alert")


def test_a_notification_without_alerts_is_ignored() -> None:
    reading = tool_of("grafana").read({**FIRING, "alerts": []}, SourceSettings())

    assert (reading.changes, reading.ignored) == ([], "the notification has no alerts")


def test_alerts_that_were_cut_off_are_named() -> None:
    found = translated("grafana", {**FIRING, "truncatedAlerts": 3})

    assert len(found.states) == 1
    assert [detail.rule for detail in found.refused] == ["truncated"]


def test_a_custom_payload_is_refused_with_a_hint() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("grafana", {"text": "Checkout is slow"})

    assert "Custom Payload" in refused.value.message
    assert refused.value.error_code == "wrong_payload"


def test_a_notification_of_alertmanager_is_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("grafana", samples("alertmanager")["firing"])

    assert {detail.path for detail in refused.value.details} == {"version", "orgId"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"fingerprint": None}, "alerts[0].fingerprint"),
        ({"startsAt": "yesterday"}, "alerts[0].startsAt"),
        ({"status": "asleep"}, "alerts[0].status"),
    ],
)
def test_a_bad_alert_leaves_the_good_one(fields: dict[str, Any], path: str) -> None:
    alerts = [FIRING["alerts"][0] | fields, SAMPLES["no_data"]["alerts"][0]]

    found = translated("grafana", {**FIRING, "alerts": alerts})

    assert [state.entity["summary"] for state in found.states] == ["No data for OPS-12"]
    assert [detail.path for detail in found.refused] == [path]


@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}])
def test_optional_fields_of_another_type_cost_nothing_else(value: Any) -> None:
    names = ("labels", "annotations", "endsAt", "generatorURL", "dashboardURL", "panelURL")
    payload = with_alert(**dict.fromkeys(names, value)) | {"externalURL": value, "status": value}

    [incident] = entities("grafana", payload)

    assert incident["id"] == "grafana-1-c6eadffa33fcdf37-1791791463157"
    assert incident["url"] == "https://ops.example.com/payments"


def test_the_signature_of_grafanas_own_signer() -> None:
    verify({HEADER: SIGNATURE})


def test_the_signature_with_a_time() -> None:
    headers = {"X-Signed": SIGNATURE_AT_0, "X-Time": "0"}

    verify(headers, at=299, signatureHeader="X-Signed", timestampHeader="X-Time")


@pytest.mark.parametrize(
    ("headers", "at"),
    [
        ({"X-Signed": SIGNATURE_AT_0, "X-Time": "0"}, 301),
        ({"X-Signed": SIGNATURE_AT_0, "X-Time": "1"}, 0),
        ({"X-Signed": SIGNATURE_AT_0, "X-Time": "soon"}, 0),
        ({"X-Signed": SIGNATURE_AT_0}, 0),
        ({"X-Signed": SIGNATURE, "X-Time": "0"}, 0),
        ({HEADER: SIGNATURE_AT_0, "X-Time": "0"}, 0),
    ],
    ids=["stale", "another time", "no number", "no time", "without the time", "another header"],
)
def test_a_wrong_signature_with_a_time(headers: dict[str, str], at: float) -> None:
    with pytest.raises(Unauthenticated):
        verify(headers, at, signatureHeader="X-Signed", timestampHeader="X-Time")


@pytest.mark.parametrize(
    ("signature", "body"),
    [(SIGNATURE, BODY + b" "), (SIGNATURE + "0", BODY), ("", BODY), ("ä", BODY)],
    ids=["other bytes", "longer", "empty", "not ASCII"],
)
def test_a_wrong_signature(signature: str, body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        verify({HEADER: signature}, body=body)


def test_another_secret_is_refused() -> None:
    other = hmac.new(b"another", BODY, hashlib.sha256).hexdigest()

    with pytest.raises(Unauthenticated):
        verify({HEADER: other})


def test_a_signature_is_over_the_bytes_as_they_arrived() -> None:
    body = b'{ "orgId" : 1 }'
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    verify({HEADER: signature}, body=body)
    assert read_payload(body) == {"orgId": 1}
