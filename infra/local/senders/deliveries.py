"""What a tool sends: its events, each twice and some out of order, and what Relay must not take."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from infra.local.senders.events import Event
from infra.local.senders.sender import Sender
from infra.local.senders.signing import SIGNATURES, Sign, new_secret

State = Literal["taken", "ignored", "refused"]


@dataclass(frozen=True)
class Delivery:
    """One call of the webhook, and the state in which it must end."""

    what: str
    body: bytes
    headers: dict[str, str]
    state: State


@dataclass(frozen=True)
class Shown:
    """An incident as Jira must show it in the end. `severity` is a level, `component` an id."""

    id: str
    status: str
    severity: str
    component: str
    summary: str


def deliveries(
    kind: str, sender: Sender, incidents: Sequence[Sequence[Event]], secret: str | None
) -> list[Delivery]:
    """All deliveries in order, signed with the secret if there is one.

    The second and later incidents arrive with their last event first. Then everything comes a
    second time, in the opposite order.
    """
    sign = SIGNATURES[kind] if secret else None
    first, *others = incidents
    events = [*first, *chain.from_iterable(reversed(one) for one in others)]
    sent = [
        _delivery(f"incident {one.number} {one.step}", sender.payload(one), "taken", sign, secret)
        for one in events
    ]
    sent += [
        _delivery(what, payload, "ignored", sign, secret) for what, payload in sender.others.items()
    ]
    sent.append(
        _delivery("another tool's event", {"from": "another tool"}, "refused", sign, secret)
    )
    if sign:
        payload = sender.payload(first[0])
        sent.append(_delivery("wrongly signed", payload, "refused", sign, new_secret(kind)))
    return [*sent, *reversed(sent)]


def last_states(
    kind: str, sender: Sender, incidents: Sequence[Sequence[Event]]
) -> dict[str, Shown]:
    """What Jira must show when all has arrived, by id."""
    shown = [_shown(kind, sender, events[-1]) for events in incidents]
    return {one.id: one for one in shown}


def _shown(kind: str, sender: Sender, event: Event) -> Shown:
    return Shown(
        f"{kind}-{sender.incident_id(event)}",
        "resolved" if event.is_resolved else "open",
        sender.level(event),
        sender.component(event) if sender.component else kind,
        sender.summary(event),
    )


def _delivery(
    what: str, payload: Any, state: State, sign: Sign | None, secret: str | None
) -> Delivery:
    body = json.dumps(payload, ensure_ascii=False).encode()
    signature = sign(body, secret) if sign and secret else {}
    return Delivery(what, body, {"Content-Type": "application/json", **signature}, state)
