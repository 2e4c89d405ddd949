"""CloudWatch's alarms, by EventBridge: from a rule of the account, or by an API destination."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from relay.sources.changes import Episode, IncidentChange, Reading, Service
from relay.sources.moments import Moment
from relay.sources.payload import Id, Labels, Lenient, OptionalText, Payload, Text
from relay.sources.settings import SourceSettings
from relay.sources.severities import own_level
from relay.sources.tool import Tool, parsed

_HINT = "This is not an event of CloudWatch, as EventBridge sends it without an input transformer."
_STATE_CHANGE = "CloudWatch Alarm State Change"
# Of the partitions aws-cn and aws-us-gov, by what their regions begin with.
_CONSOLES = {"cn-": "amazonaws.cn", "us-gov-": "amazonaws-us-gov.com"}


class _Head(Payload):
    source: Literal["aws.cloudwatch"]
    detail_type: Text = Field(alias="detail-type")


class _State(Payload):
    value: Text
    timestamp: Moment
    reason: OptionalText = ""


class _Previous(Payload):
    value: OptionalText = ""
    timestamp: Lenient[Moment] = None


class _Configuration(Payload):
    description: OptionalText = ""


class _Detail(Payload):
    alarmName: Annotated[Id, Field(max_length=255)]
    state: _State
    previousState: Lenient[_Previous] = None
    configuration: Lenient[_Configuration] = None
    # Only of alarms that send their tags.
    alarmTags: Labels = Field(default_factory=dict)


class _Event(Payload):
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    detail: _Detail


def read(payload: Any, settings: SourceSettings) -> Reading:
    """An alarm is one incident from ALARM to OK, with INSUFFICIENT_DATA in between or not."""
    head = parsed(_Head, payload, "", _HINT)
    if head.detail_type != _STATE_CHANGE:
        return Reading(head.detail_type, ignored="not the state change of an alarm")
    event = parsed(_Event, payload, "", _HINT)
    state = event.detail.state.value
    if state not in ("ALARM", "OK"):
        return Reading(state, ignored="only ALARM and OK change an incident")
    return Reading(state, [_change(event, settings)])


def _change(event: _Event, settings: SourceSettings) -> IncidentChange:
    alarm, state = event.detail, event.detail.state
    name, tags = alarm.alarmName, alarm.alarmTags
    configuration = alarm.configuration or _Configuration()
    return IncidentChange(
        id=f"{event.account}-{event.region}-{name}",
        changed_at=state.timestamp,
        created_at=state.timestamp,
        status="open" if state.value == "ALARM" else "resolved",
        title=name,
        description=configuration.description or state.reason,
        reference=f"alarm {name}",
        urls=[_page(name, event.region)],
        severity=_severity(name, tags, settings),
        services=[Service(name=tags.get("service", ""))],
        keys=[tags.get("jira", "")],
        episode=_episode(alarm),
    )


def _episode(alarm: _Detail) -> Episode:
    state = alarm.state
    before = alarm.previousState or _Previous()
    alarmed_at = before.timestamp if before.value == "ALARM" else None
    return Episode(
        start=alarmed_at or (state.timestamp if state.value == "ALARM" else None),
        may_continue=before.value in ("ALARM", "INSUFFICIENT_DATA"),
        earlier_ended=before.timestamp if before.value == "OK" else None,
    )


def _severity(name: str, tags: dict[str, str], settings: SourceSettings) -> str:
    """The alarm's name, if the settings have a level for it; CloudWatch itself has no severity."""
    return name if own_level(name, settings.severities or {}) else tags.get("severity", "")


def _page(name: str, region: str) -> str:
    """The alarm in the console of its region, as CloudWatch's own e-mails link to it."""
    names = [host for prefix, host in _CONSOLES.items() if region.startswith(prefix)]
    console = f"https://{region}.console.{names[0] if names else 'aws.amazon.com'}"
    path = f"/cloudwatch/deeplink.js?region={region}#alarmsV2:alarm/"
    return f"{console}{path}{quote(name, safe='')}"


TOOL = Tool(
    title="CloudWatch",
    read=read,
    setup=[
        "In the account and region of the alarms, open Amazon EventBridge > API destinations and"
        " select Create API destination.",
        "API destination endpoint: {url}",
        "HTTP method: POST. Create a new connection with the authorization type API key, and any"
        " name and value: Relay needs none, as the address is secret.",
        "Open Rules, select Create rule on the event bus default, and use this event pattern:",
        '{"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}',
        "Target: EventBridge API destination, and the one that you have created. Leave the target"
        " input on Matched events.",
    ],
)
