"""Prometheus Alertmanager's webhooks, version 4."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from relay.errors import Detail
from relay.sources.changes import IncidentChange, Reading, Service
from relay.sources.moments import Moment
from relay.sources.payload import Id, Labels, Lenient, OptionalText, Payload
from relay.sources.settings import SourceSettings
from relay.sources.tool import Tool, parsed, parsed_each

_HINT = (
    "This is not a notification of Alertmanager, version 4. If the receiver has a `payload` of its"
    " own, remove it: Relay reads the default body."
)


class _Notification(Payload):
    version: Literal["4"]
    status: OptionalText = ""
    externalURL: OptionalText = ""
    truncatedAlerts: Lenient[int] = None
    alerts: list[Any]


class Alert(Payload):
    """One of a notification's alerts. Grafana's are of this shape, too."""

    status: Literal["firing", "resolved"]
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)
    startsAt: Moment
    endsAt: Lenient[Moment] = None
    generatorURL: OptionalText = ""
    fingerprint: Id


def read(payload: Any, _: SourceSettings) -> Reading:
    """Each alert is one incident per episode: while it fires, and until it is resolved."""
    notification = parsed(_Notification, payload, "", _HINT)
    alerts, refused = parsed_each(Alert, notification.alerts, "alerts", _HINT)
    if notification.truncatedAlerts:
        rule = f"{notification.truncatedAlerts} alerts were cut off by max_alerts of the receiver"
        refused.append(Detail("truncatedAlerts", "truncated", rule))
    return Reading(
        notification.status or "notification",
        [_change(alert, notification) for alert in alerts],
        "the notification has no alerts",
        refused,
    )


def _change(alert: Alert, notification: _Notification) -> IncidentChange:
    urls = [alert.generatorURL, notification.externalURL]
    return change_of(alert, alert.fingerprint, urls)


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
        status=alert.status if alert.status == "resolved" else "open",
        title=notes.get("summary") or name,
        description=notes.get("description") or notes.get("message", ""),
        reference=f"alert {name}" if name else "",
        urls=urls,
        severity=labels.get("severity", ""),
        services=[Service(name=labels.get("service", ""))],
        keys=[labels.get("jira", ""), notes.get("jira", "")],
    )


TOOL = Tool(
    title="Alertmanager",
    read=read,
    setup=[
        "In alertmanager.yml, add this receiver, and name it in the routes whose alerts Jira"
        " should show:",
        "receivers: [{name: relay, webhook_configs: [{url: '{url}', send_resolved: true}]}]",
        "Reload Alertmanager.",
    ],
)
