"""Sentry's webhooks of an internal integration: metric alerts."""

from typing import Annotated, Any

from pydantic import Field

from relay.sources.changes import IncidentChange, Reading, Service
from relay.sources.moments import END_OF_TIME, Moment
from relay.sources.payload import Id, Lenient, OptionalText, Payload, Several
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call, HmacSha256
from relay.sources.tool import Tool, parsed

_HINT = "This is not a webhook of a Sentry integration."
# Sentry's own sample code signs the JSON written again, but Sentry signs the bytes that it sends.
# Its header of the time is not signed, so it proves nothing.
_SIGNATURE = HmacSha256("Sentry-Hook-Signature")
_OTHERS = ("issue", "error", "event", "comment", "installation")
_RESOLVED = "resolved"
# Microseconds after the alert was created, as only a resolved alert says when it changed: a warning
# never replaces the critical state that followed it, and no state replaces the resolved one.
_ORDER = {"open": 0, "warning": 1, "critical": 2, _RESOLVED: 3}


class _Hook(Payload):
    action: Id
    data: dict[str, Any]


class _Rule(Payload):
    name: OptionalText = ""


class _Alert(Payload):
    id: Id
    date_created: Annotated[Moment, Field(lt=END_OF_TIME)]
    date_closed: Lenient[Moment] = None
    identifier: OptionalText = ""
    title: OptionalText = ""
    projects: Several[Id] = Field(default_factory=list)
    alert_rule: Lenient[_Rule] = None


class _Texts(Payload):
    description_text: OptionalText = ""
    web_url: OptionalText = ""


def verify(call: Call, secret: str, _: SourceSettings) -> None:
    """Raises Unauthenticated."""
    _SIGNATURE.verify(call, secret)


def read(payload: Any, _: SourceSettings) -> Reading:
    """Metric alerts only: issues and errors are not incidents."""
    hook = parsed(_Hook, payload, "", _HINT)
    if "metric_alert" not in hook.data:
        resource = next((name for name in _OTHERS if name in hook.data), "other")
        return Reading(f"{resource}.{hook.action}", ignored="only metric alerts are incidents")
    event = f"metric_alert.{hook.action}"
    if hook.action not in _ORDER:
        return Reading(event, ignored="this action is not known")
    alert = parsed(_Alert, hook.data["metric_alert"], "data.metric_alert", _HINT)
    return Reading(event, [_change(alert, hook.action, parsed(_Texts, hook.data, "data", _HINT))])


def _change(alert: _Alert, action: str, texts: _Texts) -> IncidentChange:
    resolved = action == _RESOLVED
    ordered_at = alert.date_created + _ORDER[action]
    # Sentry closes an alert as of its time window, which may have begun before the alert did.
    closed_at = alert.date_closed if resolved else None
    return IncidentChange(
        id=alert.id,
        changed_at=max(ordered_at, closed_at or ordered_at),
        created_at=alert.date_created,
        status="resolved" if resolved else "open",
        title=alert.title or (alert.alert_rule or _Rule()).name,
        description=texts.description_text,
        reference=f"alert {alert.identifier}" if alert.identifier else "",
        urls=[texts.web_url],
        severity=action if action in ("critical", "warning") else "",
        services=[Service(id=slug, name=slug) for slug in alert.projects],
    )


TOOL = Tool(
    title="Sentry",
    read=read,
    verify=verify,
    signing="tool",
    setup=[
        "In Sentry, open Settings > Custom Integrations, select Create New Integration and choose"
        " Internal Integration.",
        "Webhook URL: {url}",
        "Turn on Alert Rule Action, and select Save Changes.",
        "The integration's page shows its Client Secret: give it to Relay.",
        "In each metric alert that Jira should show, add the action Send a notification via this"
        " integration to the thresholds Critical and Warning.",
    ],
)
