"""Prometheus Alertmanager's webhooks, version 4."""

from typing import Any, Literal

from relay.sources.changes import Reading
from relay.sources.prometheus import Alert, Notification, change_of
from relay.sources.settings import SourceSettings
from relay.sources.tool import Tool, parsed, parsed_each

_HINT = (
    "This is not a notification of Alertmanager, version 4. If the receiver has a `payload` of its"
    " own, remove it: Relay reads the default body."
)


class _Notification(Notification):
    version: Literal["4"]


def read(payload: Any, _: SourceSettings) -> Reading:
    """Each alert is one incident per episode: while it fires, and until it is resolved."""
    notification = parsed(_Notification, payload, "", _HINT)
    alerts, refused = parsed_each(Alert, notification.alerts, "alerts", _HINT)
    return Reading(
        notification.event,
        [
            change_of(one, one.fingerprint, [one.generatorURL, notification.externalURL])
            for one in alerts
        ],
        "the notification has no alerts",
        refused + notification.cut_off("max_alerts of the receiver"),
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
