"""PagerDuty's webhooks."""

import pytest

from relay.entities.model import EntityKey, Kind
from relay.errors import Unauthenticated
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import call, entities, samples, translated, vector

SAMPLES = samples("pagerduty")
# The secret, body and signature of PagerDuty's own Go client, go-pagerduty (webhookv3_test.go).
VECTOR = vector("pagerduty")
HEADER = "X-PagerDuty-Signature"


def verify(body: str, secret: str, signature: str) -> None:
    verify = tool_of("pagerduty").verify
    assert verify
    verify(call(body.encode(), {HEADER: signature}), secret, SourceSettings())


def test_an_incident() -> None:
    [incident] = entities("pagerduty", SAMPLES["triggered"])

    assert incident == {
        "schemaVersion": "1.0",
        "id": "pagerduty-PINC001",
        "updateSequenceNumber": 1775748022169000,
        "affectedComponents": ["pagerduty-PSVC001"],
        "summary": "Checkout answers slowly",
        "description": "Checkout answers slowly (PagerDuty incident 2)",
        "url": "https://example.pagerduty.com/incidents/PINC001",
        "createdDate": "2026-04-09T15:16:27Z",
        "lastUpdated": "2026-04-09T15:20:22.169000Z",
        "severity": {"level": "P1"},
        "status": "open",
    }


def test_its_service_becomes_a_container() -> None:
    [service] = translated("pagerduty", SAMPLES["triggered"]).services

    assert (service.id, service.name) == ("pagerduty-PSVC001", "Checkout API")
    assert service.url == "https://example.pagerduty.com/services/PSVC001"


def test_a_resolved_incident() -> None:
    [incident] = entities("pagerduty", SAMPLES["resolved"])

    assert incident["status"] == "resolved"


def test_without_a_priority_the_urgency_counts() -> None:
    [incident] = entities("pagerduty", SAMPLES["priority_updated_no_priority"])

    assert incident["severity"] == {"level": "P2"}


def test_a_note_carries_no_incident() -> None:
    found = translated("pagerduty", SAMPLES["annotated"])

    assert not found.states


def test_a_service_without_an_incident() -> None:
    found = translated("pagerduty", SAMPLES["service_updated"])

    assert not found.states
    assert [(one.id, one.name) for one in found.services] == [("pagerduty-PSVC001", "Checkout API")]


def test_the_signature_of_pagerdutys_own_client() -> None:
    verify(VECTOR["raw_body"], VECTOR["secret"], VECTOR["header"])

    assert translated("pagerduty", VECTOR["raw_body"].encode()).keys == [
        EntityKey(Kind.INCIDENT, "pagerduty-PGR0VU2")
    ]


@pytest.mark.parametrize(
    "header",
    [f"v1={'0' * 64}, {{right}}", f"{{right}},v1={'0' * 64}", "v2=abc,{right}", " {right} "],
    ids=["new first", "old first", "another version", "spaces"],
)
def test_one_of_several_signatures_suffices(header: str) -> None:
    given = header.format(right=VECTOR["header"])

    verify(VECTOR["raw_body"], VECTOR["secret"], given)


@pytest.mark.parametrize(
    ("body", "secret", "header"),
    [
        ("{raw_body} ", "{secret}", "{header}"),
        ("{raw_body}", "{secret}x", "{header}"),
        ("{raw_body}", "{secret}", "{header}0"),
        ("{raw_body}", "{secret}", "v1="),
        ("{raw_body}", "{secret}", "v1=ä"),
        ("{raw_body}", "{secret}", ""),
    ],
    ids=["other bytes", "another secret", "longer", "empty", "not ASCII", "missing"],
)
def test_a_wrong_signature(body: str, secret: str, header: str) -> None:
    values = [text.replace("{raw_body}", VECTOR["raw_body"]) for text in (body, secret, header)]
    values = [value.replace("{secret}", VECTOR["secret"]) for value in values]
    values = [value.replace("{header}", VECTOR["header"]) for value in values]

    with pytest.raises(Unauthenticated):
        verify(values[0], values[1], values[2])
