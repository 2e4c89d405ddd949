"""Azure Monitor's alerts in the common alert schema, by the webhook of an action group."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from relay.sources.changes import IncidentChange, Reading
from relay.sources.moments import END_OF_TIME, Moment
from relay.sources.payload import Id, Labels, Lenient, OptionalText, Payload
from relay.sources.settings import SourceSettings
from relay.sources.severities import own_level
from relay.sources.tool import Tool, parsed

_HINT = (
    "This is not an alert in Azure Monitor's common alert schema. Set Enable the common alert"
    " schema to Yes in the webhook of the action group."
)
# Azure counts from 0 with the same names as others do from 1.
_SEVERITIES = {"Sev0": "P1", "Sev1": "P2", "Sev2": "P3", "Sev3": "P4", "Sev4": "P5"}
_PAGE = "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade"


class _Essentials(Payload):
    alertId: Annotated[Id, Field(pattern=r"[^/]$")]
    firedDateTime: Annotated[Moment, Field(lt=END_OF_TIME)]
    resolvedDateTime: Lenient[Moment] = None
    monitorCondition: OptionalText = ""
    alertRule: OptionalText = ""
    description: OptionalText = ""
    severity: OptionalText = ""


class _Data(Payload):
    essentials: _Essentials
    customProperties: Labels = Field(default_factory=dict)


class _Alert(Payload):
    schemaId: Literal["azureMonitorCommonAlertSchema"]
    data: _Data


def read(payload: Any, settings: SourceSettings) -> Reading:
    """An alert is fired once, and resolved once; one of a stateless rule stays as it was fired."""
    data = parsed(_Alert, payload, "", _HINT).data
    condition = data.essentials.monitorCondition or "alert"
    return Reading(condition, [_change(data, settings)])


def _change(data: _Data, settings: SourceSettings) -> IncidentChange:
    alert = data.essentials
    resolved = alert.monitorCondition == "Resolved"
    rule = alert.alertRule
    return IncidentChange(
        id=alert.alertId.rpartition("/")[2],
        changed_at=_resolved_at(alert) if resolved else alert.firedDateTime,
        created_at=alert.firedDateTime,
        status="resolved" if resolved else "open",
        title=rule,
        description=alert.description,
        reference=f"alert {rule}" if rule else "",
        urls=[f"{_PAGE}/alertId/{quote(alert.alertId, safe='')}"],
        severity=_severity(alert.severity, settings),
        keys=[data.customProperties.get("jira", "")],
    )


def _resolved_at(alert: _Essentials) -> int:
    """Not all say when they were resolved; it was after they were fired."""
    return max(alert.resolvedDateTime or 0, alert.firedDateTime + 1)


def _severity(name: str, settings: SourceSettings) -> str:
    return name if own_level(name, settings.severities or {}) else _SEVERITIES.get(name, name)


TOOL = Tool(
    title="Azure Monitor",
    read=read,
    setup=[
        "In the Azure portal, open Monitor > Alerts > Action groups, and create a group or edit"
        " one.",
        "On the tab Actions, add an action of the type Webhook.",
        "URI: {url}",
        "Enable the common alert schema: Yes.",
        "Save the group, and add it to the alert rules whose alerts Jira should show.",
    ],
)
