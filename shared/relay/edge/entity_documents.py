"""Documents of entities: parameters parsed, answers built."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from relay.catalog.containers import normalized
from relay.edge.answer import document_bytes, page_of, present
from relay.edge.query import query_value
from relay.entities.association import Target
from relay.entities.document import details_of
from relay.entities.fields import ID_MAX, INT64_MIN, TEXT_MAX, Properties
from relay.entities.model import EntityKey, Kind
from relay.entities.moment import date_time_of
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request
from relay.provider.tracking import ASSOCIATIONS_SHOWN_MAX, EntityAtSite, Page
from relay.record.entry import Entry, Head
from relay.record.outcomes import OutcomeState

if TYPE_CHECKING:
    from relay.edge.shapes import entities

# For one site. Jira's own associations have a few hundred bytes each.
_ASSOCIATIONS_BYTES_MAX = 500_000

_PROPERTIES: TypeAdapter[dict[str, str]] = TypeAdapter(Properties)


def checked_entity(kind: Kind, entity_id: str) -> EntityKey:
    """The entity's key. Raises BadRequest for an id that no entity can have."""
    if len(entity_id) > ID_MAX:
        rule = Detail("id", "max_length", f"At most {ID_MAX} characters")
        raise BadRequest("`id` is not a valid entity id.", [rule])
    return EntityKey(kind, entity_id)


def page_cursor(request: Request) -> EntityKey | None:
    """The position that `after` encodes; None for the first page. Raises BadRequest unless it is
    the `next` of an earlier page."""
    value = query_value(request, "after")
    if value is None:
        return None
    try:
        kind, _, entity_id = base64.urlsafe_b64decode(value.encode()).decode().partition("#")
        if not 0 < len(entity_id) <= ID_MAX:
            raise ValueError
        return EntityKey(Kind(kind), entity_id)
    except (binascii.Error, ValueError):
        rule = Detail("after", "cursor", "The `next` of the previous page")
        raise BadRequest("`after` is not a valid cursor.", [rule]) from None


def checked_properties(request: Request) -> dict[str, str]:
    """The query as properties. Raises BadRequest if there are none, or one is not valid."""
    pairs = parse_qsl(request.raw_query, keep_blank_values=True)
    try:
        properties = _PROPERTIES.validate_python(dict(pairs))
    except ValidationError as error:
        raise BadRequest("The query is not a valid set of properties.", details_of(error)) from None
    if not properties:
        rule = Detail("", "properties", "At least one property, each name once")
        raise BadRequest("The query must name at least one property.", [rule])
    return properties


def searched_text(request: Request) -> str | None:
    """The text to search for; None if it is absent. Raises BadRequest for one that is too long, or
    that matches every entity."""
    text = query_value(request, "text")
    if text is not None and (len(text) > TEXT_MAX or not normalized(text)):
        rule = Detail("text", "length", f"1 to {TEXT_MAX} characters, not only spaces")
        raise BadRequest("`text` can't be searched for.", [rule])
    return text


def entity_document(
    entry: Entry, sites: Iterable[EntityAtSite]
) -> "entities.RecordedIncident | entities.RecordedReview":
    """An entity as it is recorded, and its outcome at each site."""
    # Its kind decides which of the two shapes it is.
    recorded: Any = {
        "kind": entry.key.kind,
        **_entity(entry),
        "recordedAt": entry.recorded_at,
        "correlationId": entry.correlation_id,
        "entity": entry.entity,
        "properties": dict(entry.properties),
        "providerMetadata": {"product": entry.product} if entry.product else None,
        "timeline": [
            {"at": seen.at, "status": seen.status, "severity": seen.severity}
            for seen in entry.timeline
        ],
        "sites": [_at_site(site) for site in sites],
    }
    found: entities.RecordedIncident | entities.RecordedReview = present(recorded)
    return found


def entity_page(page: Page) -> "entities.EntityPage":
    """A page of entities, with their outcomes at each site."""
    documents = ((cursor_of(entry.key), _listed(entry, sites)) for entry, sites in page.entries)
    members, following = page_of(documents, page.next and cursor_of(page.next))
    document: entities.EntityPage = {"entities": members, "next": following}
    return present(document)


def _listed(entry: Head, sites: Iterable[EntityAtSite]) -> "entities.ListedEntity":
    return {
        "kind": entry.key.kind,
        **_entity(entry),
        "sites": [_at_site(site) for site in sites],
    }


def _entity(entry: Head) -> "entities.EntityHead":
    document: entities.EntityHead = {
        "id": entry.key.id,
        "updateSequenceNumber": _sequence(entry.sequence),
        "deleted": entry.deleted_at is not None,
    }
    return present(document)


def cursor_of(key: EntityKey) -> str:
    """The cursor of the page that begins after this entity."""
    return base64.urlsafe_b64encode(f"{key.kind.value}#{key.id}".encode()).decode()


def _at_site(site: EntityAtSite) -> "entities.AtSite":
    is_owed = site.state is OutcomeState.OWED
    outcome = site.outcome
    associations = list(_associations(site.associations))
    document: entities.AtSite = {
        "site": site.tenant.id,
        "baseUrl": site.tenant.base_url,
        "state": site.state,
        "owedSince": site.owed_since if is_owed else None,
        "reason": site.reason if is_owed else None,
        "until": date_time_of(site.until) if is_owed and site.until is not None else None,
        "updateSequenceNumber": _sequence(outcome.sequence) if outcome else None,
        "at": outcome.at if outcome else None,
        "messages": list(outcome.messages) if outcome else None,
        "unknownProjectKeys": list(outcome.unknown_project_keys) if outcome else None,
        "associations": associations or None,
        "moreAssociations": len(associations) < len(site.associations) or None,
    }
    # Null if Jira stores nothing, absent if it was not asked.
    in_jira: Any = {"jira": site.in_jira} if site.asked else {}
    return {**present(document), **in_jira}


def _associations(targets: Iterable[Target]) -> "Iterator[entities.AssociationTarget]":
    """The first ones, so that an entity at many sites still fits into one answer."""
    left = _ASSOCIATIONS_BYTES_MAX
    for target in islice(targets, ASSOCIATIONS_SHOWN_MAX):
        document: Any = target.model_dump(exclude_defaults=True)
        left -= document_bytes(document)
        if left < 0:
            return
        yield document


def _sequence(sequence: int) -> int | None:
    """None for an entity that was deleted and never submitted: the record keeps it below all
    sequence numbers."""
    return sequence if sequence >= INT64_MIN else None
