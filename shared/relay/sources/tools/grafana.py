"""Grafana Alerting's webhooks, of a contact point."""

from typing import Any, Literal

from relay.sources.changes import IncidentChange, Reading
from relay.sources.payload import OptionalText
from relay.sources.prometheus import Alert, Notification, change_of
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call, HmacSha256
from relay.sources.tool import Tool, parsed, parsed_each

_HINT = (
    "This is not a notification of Grafana Alerting. If the contact point has a Custom Payload,"
    " remove it: Relay reads the default body."
)
_HEADER = "X-Grafana-Alerting-Signature"
# What the button Test of a contact point sends.
_TEST = "TestAlert"


class _Notification(Notification):
    version: Literal["1"]
    orgId: int


class _Alert(Alert):
    dashboardURL: OptionalText = ""
    panelURL: OptionalText = ""


def verify(call: Call, secret: str, settings: SourceSettings) -> None:
    """Raises Unauthenticated. The contact point names the headers, as the settings do."""
    time_header = settings.timestampHeader or ""
    header = settings.signatureHeader or _HEADER
    HmacSha256(header, time_header=time_header, separator=":").verify(call, secret)


def read(payload: Any, _: SourceSettings) -> Reading:
    """Each alert is one incident per episode, as with Alertmanager."""
    notification = parsed(_Notification, payload, "", _HINT)
    alerts, refused = parsed_each(_Alert, notification.alerts, "alerts", _HINT)
    real = [alert for alert in alerts if alert.labels.get("alertname") != _TEST]
    return Reading(
        notification.event,
        [_change(alert, notification) for alert in real],
        "a test alert" if alerts else "the notification has no alerts",
        refused + notification.cut_off("Max Alerts of the webhook"),
    )


def _change(alert: _Alert, notification: _Notification) -> IncidentChange:
    urls = [alert.panelURL, alert.dashboardURL, alert.generatorURL, notification.externalURL]
    # Two organizations of one Grafana may have alerts with the same labels.
    series = f"{notification.orgId}-{alert.fingerprint}"
    return change_of(alert, series, urls)


TOOL = Tool(
    title="Grafana",
    read=read,
    verify=verify,
    signing="optional",
    own_settings=("signatureHeader", "timestampHeader"),
    setup=[
        "In Grafana, open Alerts & IRM > Alerting > Notification configuration > Contact points"
        " and select Add contact point.",
        "Integration: Webhook. URL: {url}",
        "To have notifications signed, set HMAC Signature > Secret in the optional settings to:"
        " {secret}",
        "Leave Custom Payload empty, and Disable resolved message off.",
        "Select Test: Relay lists the test alert as ignored. Then select Save contact point.",
        "Choose the contact point in the notification policies or the alert rules whose alerts"
        " Jira should show.",
    ],
)
