"""The senders of the local stack: what they send, with Relay's own verification and mapping."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.senders.deliveries import Delivery, Shown, deliveries, last_states
from infra.local.senders.events import incidents
from infra.local.senders.sender import Sender, sender_of, varied
from infra.local.senders.signing import new_secret
from relay.errors import BadRequest, Unauthenticated
from relay.sources.settings import SourceSettings
from relay.sources.tool import KINDS, tool_of
from tests.sources.samples import call, translated

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sent_by(kind: str, sender: Sender) -> tuple[Sequence[Delivery], dict[str, Shown]]:
    lives = incidents(NOW, sender.escalates)
    secret = new_secret(kind) if tool_of(kind).signing != "none" else None
    verified = [
        one
        for one in deliveries(kind, sender, lives, secret)
        if secret is None or is_signed(kind, one, secret)
    ]
    return verified, last_states(kind, sender, lives)


def is_signed(kind: str, delivery: Delivery, secret: str) -> bool:
    verify = tool_of(kind).verify
    assert verify
    try:
        verify(call(delivery.body, delivery.headers), secret, SourceSettings())
    except Unauthenticated:
        return False
    return True


def state_of(kind: str, delivery: Delivery, sender: Sender) -> str:
    try:
        found = translated(kind, delivery.body, **sender.settings)
    except BadRequest:
        return "refused"
    return "taken" if found.keys or found.services else "ignored"


def test_every_delivery_but_the_wrongly_signed_ends_as_it_must(kind: str) -> None:
    sender = sender_of(kind)

    verified, _ = sent_by(kind, sender)

    assert "wrongly signed" not in {one.what for one in verified}
    assert {one.state for one in verified} >= {"taken", "refused"}
    for one in verified:
        assert state_of(kind, one, sender) == one.state, one.what


def test_the_newest_states_are_what_jira_must_show(kind: str) -> None:
    sender = sender_of(kind)
    verified, expected = sent_by(kind, sender)

    found = [
        state.entity
        for one in verified
        if one.state == "taken"
        for state in translated(kind, one.body, **sender.settings).states
    ]
    in_order = sorted(found, key=lambda entity: entity["updateSequenceNumber"])
    assert len(expected) == 3
    assert {entity["id"]: shown(entity) for entity in in_order} == expected


def shown(entity: Mapping[str, Any]) -> Shown:
    level = entity.get("severity", {}).get("level", "unknown")
    [component] = entity["affectedComponents"]
    return Shown(entity["id"], entity["status"], level, component, entity["summary"])


def test_a_sender_adds_no_field() -> None:
    with pytest.raises(KeyError):
        varied({"alerts": [{}]}, {"alerts/0/status": "firing"})
