"""What a source says, as Jira's entities and Relay's containers."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from relay.entities.document import details_of
from relay.entities.fields import DESCRIPTION_MAX, ID_MAX, LIST_MAX, TEXT_MAX, is_url
from relay.entities.model import MODELS, EntityKey, EntityState, Kind
from relay.entities.service import KnownService
from relay.errors import Detail
from relay.sources.changes import (
    Change,
    IncidentChange,
    IncidentDeletion,
    Reading,
    Review,
    ReviewChange,
    ReviewDeletion,
    Service,
    ServiceChange,
)
from relay.sources.episodes import KeptAlarm, place
from relay.sources.moments import date_time
from relay.sources.settings import SourceSettings
from relay.sources.severities import level_of

# More are not in one text that a person wrote.
_KEYS_MAX = 50
_ISSUE_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9]{1,9})-[1-9][0-9]{0,9}(?![A-Za-z0-9_])")
# What an id keeps besides letters, digits and -_.~; everything else becomes =XX, as Jira allows no
# % in a container's id. A slash in an entity's id would need encoding in every path.
_KEPT = "@:{}"
_HASH_LENGTH = 16
_REVIEW_SUFFIX = "-pir"


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a mapping needs besides the payload: the source's `kind`, the tool's `title`, the
    settings, the workspace's URL, for what has none of its own, and what is kept of the reading's
    `alarms`."""

    kind: str
    title: str
    settings: SourceSettings
    workspace_url: str
    alarms: Mapping[str, KeptAlarm] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deletion:
    """An entity to delete, unless a state with a higher sequence is recorded."""

    key: EntityKey
    sequence: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """What Relay makes of a payload; `refused` are the parts of which it can make nothing.

    `alarms` are to be saved before the entities are queued; see `relay.sources.episodes.Placed`.
    `ignored` says why the payload holds nothing for Jira, if it holds nothing.
    """

    states: Sequence[EntityState]
    deletions: Sequence[Deletion]
    services: Sequence[KnownService]
    refused: Sequence[Detail]
    alarms: Mapping[str, KeptAlarm] = field(default_factory=dict)
    ignored: str = ""

    @property
    def keys(self) -> list[EntityKey]:
        """The entities, in the order of the payload."""
        return [state.key for state in self.states] + [one.key for one in self.deletions]


def mapped(reading: Reading, context: SourceContext) -> Mapped:
    """The entities of all changes; one that breaks a rule of Jira's does not affect the others."""
    states: list[EntityState] = []
    deletions: list[Deletion] = []
    services: dict[str, KnownService] = {}
    refused: list[Detail] = list(reading.refused)
    placed = place(reading.changes, context.alarms)
    for number, change in enumerate(placed.changes):
        for service in _services_of(change, context):
            services[service.id] = service
        if isinstance(change, IncidentDeletion | ReviewDeletion):
            kind = Kind.INCIDENT if isinstance(change, IncidentDeletion) else Kind.REVIEW
            key = EntityKey(kind, _entity_id(context.kind, change.id))
            deletions.append(Deletion(key, change.changed_at))
        for kind, entity in _entities(change, context):
            try:
                valid = MODELS[kind].model_validate(entity)
            except ValidationError as error:
                refused += details_of(error, f"{kind.plural}[{number}]")
            else:
                states.append(EntityState(kind, valid.as_json(), product=context.title))
    known = list(services.values())
    ignored = "" if placed.changes else placed.ignored or reading.ignored
    return Mapped(states, deletions, known, refused, placed.alarms, ignored)


def _entities(change: Change, context: SourceContext) -> Iterator[tuple[Kind, dict[str, Any]]]:
    if isinstance(change, IncidentChange):
        incident = _incident(change, context)
        yield Kind.INCIDENT, incident
        if change.review:
            review = _review(change.review, [incident["id"]], incident, context)
            yield Kind.REVIEW, review
    elif isinstance(change, ReviewChange):
        incidents = [_entity_id(context.kind, one) for one in change.incidents[:LIST_MAX]]
        yield Kind.REVIEW, _review(change.review, incidents, {}, context)


def _incident(change: IncidentChange, context: SourceContext) -> dict[str, Any]:
    reference = f"{context.title} {change.reference or change.id}"
    title = _cut(_one_line(change.title) or reference, TEXT_MAX)
    named = f"{title} ({reference})" if title != reference else title
    entity: dict[str, Any] = {
        "schemaVersion": "1.0",
        "id": _entity_id(context.kind, change.id),
        "updateSequenceNumber": change.changed_at,
        "affectedComponents": [one.id for one in _known_services(change, context)],
        "summary": title,
        "description": _cut(change.description.strip() or named, DESCRIPTION_MAX),
        "url": _url(change.urls, context),
        "createdDate": date_time(min(change.created_at, change.changed_at)),
        "lastUpdated": date_time(change.changed_at),
        "status": change.status,
    }
    if change.severity:
        entity["severity"] = {"level": level_of(change.severity, context.settings.severities or {})}
    keys = _issue_keys(change, context.settings)
    if keys:
        entity["associations"] = [{"associationType": "issueIdOrKeys", "values": keys}]
    return entity


def _review(
    review: Review, incidents: list[str], incident: dict[str, Any], context: SourceContext
) -> dict[str, Any]:
    own_id = _entity_id(context.kind, review.id) if review.id else f"{incidents[0]}{_REVIEW_SUFFIX}"
    title = _one_line(review.title) or f"Review of {incident.get('summary', incidents[0])}"
    return {
        "schemaVersion": "1.0",
        "id": _within(own_id, ID_MAX),
        "updateSequenceNumber": review.changed_at,
        "reviews": incidents,
        "summary": _cut(title, TEXT_MAX),
        "description": _cut(review.description.strip() or title, DESCRIPTION_MAX),
        "url": _url([review.url, incident.get("url", "")], context),
        "createdDate": date_time(min(review.created_at, review.changed_at)),
        "lastUpdated": date_time(review.changed_at),
        "status": review.status,
    }


def _services_of(change: Change, context: SourceContext) -> list[KnownService]:
    if not context.settings.makeContainers:
        return []
    if isinstance(change, IncidentChange):
        return _known_services(change, context)
    if isinstance(change, ServiceChange):
        return [_known(change.service, change.changed_at, context)]
    return []


def _known_services(change: IncidentChange, context: SourceContext) -> list[KnownService]:
    """What the incident affects: at least one, as Jira requires."""
    named = [one for one in change.services if one.id or one.name.strip()][:LIST_MAX]
    if named:
        known = [_known(one, change.changed_at, context) for one in named]
        return list({one.id: one for one in known}.values())
    component = context.settings.component
    name = component or context.title
    return [KnownService(component or context.kind, name, context.workspace_url, change.changed_at)]


def _known(service: Service, changed_at: int, context: SourceContext) -> KnownService:
    own_id = (
        f"{context.kind}-{_escaped(service.id)}" if service.id else _escaped(service.name.strip())
    )
    name = _cut(_one_line(service.name) or service.id, TEXT_MAX)
    return KnownService(_within(own_id, ID_MAX), name, _url([service.url], context), changed_at)


def _issue_keys(change: IncidentChange, settings: SourceSettings) -> list[str]:
    wanted = settings.issueKeys
    if wanted is False:
        return []
    texts = [*(key.upper() for key in change.keys), change.title, change.description, *change.notes]
    found = {
        match[0]: match[1]
        for text in texts
        for match in _ISSUE_KEY.finditer(text[:DESCRIPTION_MAX])
    }
    keys = [key for key, project in found.items() if wanted is True or project in wanted]
    return keys[:_KEYS_MAX]


def _url(candidates: Sequence[str], context: SourceContext) -> str:
    """The first valid one, percent-encoded where the tool has not done that."""
    for candidate in candidates:
        if candidate:
            encoded = quote(candidate.strip(), safe="%-._~:/?#[]@!$&'()*+,;=")
            if is_url(encoded):
                return encoded
    return context.workspace_url


def _entity_id(kind: str, tool_id: str) -> str:
    return _within(f"{kind}-{_escaped(tool_id)}", ID_MAX)


def _escaped(text: str) -> str:
    """The text with nothing but what Jira takes in every id; two texts never become one."""
    return quote(text, safe=_KEPT).replace("%", "=")


def _within(text: str, length: int) -> str:
    """The text; a longer one ends with its hash, so that two of them stay two."""
    if len(text) <= length:
        return text
    mark = hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{text[: length - _HASH_LENGTH - 1]}~{mark}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
