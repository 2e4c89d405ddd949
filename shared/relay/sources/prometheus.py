"""Prometheus's alerts, as Alertmanager and Grafana send them, each in an envelope of its own."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from relay.errors import Detail
from relay.sources.changes import IncidentChange, Service
from relay.sources.moments import Moment
from relay.sources.payload import Id, Labels, Lenient, OptionalText, Payload


class Notification(Payload):
    """The common part of the envelopes; each tool has a `version` of its own."""

    version: str
    status: OptionalText = ""
    externalURL: OptionalText = ""
    truncatedAlerts: Lenient[int] = None
    alerts: list[Any]

    @property
    def event(self) -> str:
        """What the notification is called among a source's deliveries."""
        return self.status or "notification"

    def cut_off(self, setting: str) -> list[Detail]:
        """What is wrong if the tool left alerts out, as its `setting` has it do."""
        if not self.truncatedAlerts:
            return []
        rule = f"{self.truncatedAlerts} alerts were cut off by {setting}"
        return [Detail("truncatedAlerts", "truncated", rule)]


class Alert(Payload):
    """One of a notification's alerts."""

    status: Literal["firing", "resolved"]
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)
    startsAt: Moment
    endsAt: Lenient[Moment] = None
    generatorURL: OptionalText = ""
    fingerprint: Id


def change_of(alert: Alert, series: str, urls: Sequence[str]) -> IncidentChange:
    """The episode of the alert `series`, which is the tool's id of it over all episodes."""
    labels, notes = alert.labels, alert.annotations
    resolved_at = alert.endsAt if alert.status == "resolved" else None
    name = labels.get("alertname", "")
    return IncidentChange(
        # Milliseconds, as the start of an episode tells it from the alert's others.
        id=f"{series}-{alert.startsAt // 1000}",
        changed_at=max(alert.startsAt, resolved_at or alert.startsAt),
        created_at=alert.startsAt,
        status="resolved" if alert.status == "resolved" else "open",
        title=notes.get("summary") or name,
        description=notes.get("description") or notes.get("message", ""),
        reference=f"alert {name}" if name else "",
        urls=urls,
        severity=labels.get("severity", ""),
        services=[Service(name=labels.get("service", ""))],
        keys=[labels.get("jira", ""), notes.get("jira", "")],
    )
