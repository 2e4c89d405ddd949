"""What a sender knows of its tool, and the tool's sample payloads."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from infra.local.paths import ROOT
from infra.local.senders.events import Event

_SAMPLES = ROOT / "examples" / "sources"


def _level(event: Event) -> str:
    return event.level


def _title(event: Event) -> str:
    return event.title


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One tool.

    `payload` is what it sends of an event. In Jira, the incident's id is `incident_id` after the
    kind, `component` the id of what it affects, if the tool says that, `level` that of its
    severity, and `summary` its title. `others` are events without an incident, by what they are. A
    tool whose alerts keep their severity never `escalates`. One that is `queued` calls no URL: its
    events come by AWS's queue.
    """

    payload: Callable[[Event], Any]
    incident_id: Callable[[Event], str]
    component: Callable[[Event], str] | None = None
    level: Callable[[Event], str] = _level
    summary: Callable[[Event], str] = _title
    others: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    escalates: bool = True
    queued: bool = False


def sender_of(kind: str) -> Sender:
    """The sender of a kind of source."""
    sender: Sender = import_module(f"infra.local.senders.tools.{kind}").SENDER
    return sender


def samples(kind: str) -> dict[str, Any]:
    """The example payloads of a kind, by name."""
    return {
        path.stem.replace("-", "_"): json.loads(path.read_text("utf-8"))
        for path in (_SAMPLES / kind).glob("*.json")
    }


def custom_settings() -> Any:
    """The settings for the examples of `custom`."""
    return json.loads((_SAMPLES / "custom-settings.json").read_text("utf-8"))


def varied(payload: Any, values: Mapping[str, Any]) -> Any:
    """A copy of the payload with other values at these paths, such as `alerts/0/status`.

    Raises KeyError if the payload has nothing there: a sender adds no field that the tool lacks.
    """
    copied = copy.deepcopy(payload)
    for path, value in values.items():
        *outer, last = (int(name) if name.isdigit() else name for name in path.split("/"))
        inner = copied
        for name in outer:
            inner = inner[name]
        inner[last]  # Raises if there is no such field.
        inner[last] = value
    return copied
