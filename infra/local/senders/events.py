"""The short life of a few incidents, before a tool puts it into its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Step = Literal["opened", "changed", "resolved"]

_MINUTES: dict[Step, int] = {"opened": 0, "changed": 9, "resolved": 25}
_LESSER, _GREATER = "P3", "P1"
_SPACING = timedelta(minutes=7)
_FIRST = timedelta(minutes=50)


@dataclass(frozen=True)
class Event:
    """One step of an incident. `level` is Jira's level of its severity: a change raises it."""

    number: int
    title: str
    service: str
    step: Step
    opened_at: datetime
    level: str

    @property
    def at(self) -> datetime:
        """When the step took place."""
        return self.opened_at + timedelta(minutes=_MINUTES[self.step])

    @property
    def is_resolved(self) -> bool:
        """Whether the incident is resolved with this step."""
        return self.step == "resolved"

    @property
    def service_id(self) -> str:
        """The service's id, such as checkout-api."""
        return self.service.lower().replace(" ", "-")


@dataclass(frozen=True)
class _Incident:
    title: str
    service: str
    steps: Sequence[Step]


_INCIDENTS = (
    _Incident("Checkout answers slowly", "Checkout API", ("opened", "changed", "resolved")),
    _Incident("Search shows old results", "Search", ("opened", "changed")),
    _Incident("Login fails in one region", "Login", ("opened", "resolved")),
)


def incidents(now: datetime, escalates: bool) -> list[list[Event]]:
    """The events of each incident, which all took place before `now`.

    Without `escalates`, for a tool that can't change a severity, no incident changes.
    """
    return [
        _events(number, one, now - _FIRST + number * _SPACING, escalates)
        for number, one in enumerate(_INCIDENTS, start=1)
    ]


def _events(number: int, incident: _Incident, opened_at: datetime, escalates: bool) -> list[Event]:
    steps = [step for step in incident.steps if escalates or step != "changed"]
    is_great = "changed" in incident.steps
    return [
        Event(
            number,
            incident.title,
            incident.service,
            step,
            opened_at,
            _GREATER if is_great and (step != "opened" or not escalates) else _LESSER,
        )
        for step in steps
    ]
