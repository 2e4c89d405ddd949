"""Documents of entities, for the operations tool: in and out."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from relay.edge.paging import document_bytes, page_document
from relay.edge.query import query_value
from relay.edge.site_documents import moment
from relay.entities.association import Target
from relay.entities.document import details_of
from relay.entities.fields import ID_MAX, INT64_MIN, Properties
from relay.entities.model import EntityKey, Kind
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request
from relay.provider.tracking import ASSOCIATIONS_SHOWN_MAX, EntityAtSite, Page
from relay.record.entry import Entry, Head
from relay.record.outcomes import OutcomeState

# Of those at one site. Jira's own have some hundred bytes each.
_ASSOCIATIONS_BYTES_MAX = 500_000

_PROPERTIES: TypeAdapter[dict[str, str]] = TypeAdapter(Properties)


def checked_entity(kind: Kind, entity_id: str) -> EntityKey:
    """Raises BadRequest for an id that no entity can have."""
    if len(entity_id) > ID_MAX:
        rule = Detail("id", "max_length", f"At most {ID_MAX} characters")
        raise BadRequest("This is no id for an entity.", [rule])
    return EntityKey(kind, entity_id)


def page_cursor(request: Request) -> EntityKey | None:
    """Where the page begins: `next` of the page before, as it was answered."""
    value = query_value(request, "after")
    if value is None:
        return None
    try:
        kind, _, entity_id = base64.urlsafe_b64decode(value.encode()).decode().partition("#")
        if not 0 < len(entity_id) <= ID_MAX:
            raise ValueError
        return EntityKey(Kind(kind), entity_id)
    except (binascii.Error, ValueError):
        rule = Detail("after", "cursor", "`next` of the page before")
        raise BadRequest("This is no page's beginning.", [rule]) from None


def checked_properties(request: Request) -> dict[str, str]:
    """Raises BadRequest for none, or for what can't be an entity's property."""
    pairs = parse_qsl(request.raw_query, keep_blank_values=True)
    try:
        properties = _PROPERTIES.validate_python(dict(pairs))
    except ValidationError as error:
        raise BadRequest("These are no properties.", details_of(error)) from None
    if not properties:
        rule = Detail("", "properties", "At least one, each just once")
        raise BadRequest("Properties are asked for.", [rule])
    return properties


def entity_document(entry: Entry, sites: Iterable[EntityAtSite]) -> dict[str, Any]:
    document = {
        "kind": entry.key.kind.value,
        "id": entry.key.id,
        "updateSequenceNumber": _sequence(entry.sequence),
        "recordedAt": entry.recorded_at,
        "correlationId": entry.correlation_id,
        "deleted": entry.deleted_at is not None,
        "entity": entry.entity,
        "properties": dict(entry.properties),
        "providerMetadata": {"product": entry.product} if entry.product else None,
        "timeline": [
            {"at": seen.at, "status": seen.status, "severity": seen.severity}
            for seen in entry.timeline
        ],
        "sites": [_at_site(site) for site in sites],
    }
    return _known(document)


def entity_page(page: Page) -> dict[str, Any]:
    documents = ((_cursor(entry.key), _listed(entry, sites)) for entry, sites in page.entries)
    return page_document("entities", documents, page.next and _cursor(page.next))


def _listed(entry: Head, sites: Iterable[EntityAtSite]) -> dict[str, Any]:
    return _known(
        {
            "kind": entry.key.kind.value,
            "id": entry.key.id,
            "updateSequenceNumber": _sequence(entry.sequence),
            "deleted": entry.deleted_at is not None,
            "sites": [_at_site(site) for site in sites],
        }
    )


def _cursor(key: EntityKey) -> str:
    return base64.urlsafe_b64encode(f"{key.kind.value}#{key.id}".encode()).decode()


def _at_site(site: EntityAtSite) -> dict[str, Any]:
    document: dict[str, Any] = {
        "site": site.tenant.id,
        "baseUrl": site.tenant.base_url,
        "state": site.state.value,
    }
    if site.state is OutcomeState.OWED:
        until = moment(site.until)
        document |= _known({"owedSince": site.owed_since, "reason": site.reason, "until": until})
    if site.outcome:
        document |= _known(
            {
                "updateSequenceNumber": _sequence(site.outcome.sequence),
                "at": site.outcome.at,
                "messages": list(site.outcome.messages),
                "unknownProjectKeys": list(site.outcome.unknown_project_keys),
            }
        )
    if site.associations:
        shown = document["associations"] = list(_associations(site.associations))
        if len(shown) < len(site.associations):
            document["moreAssociations"] = True
    if site.asked:
        document["jira"] = site.in_jira
    return document


def _associations(targets: Iterable[Target]) -> Iterator[dict[str, Any]]:
    """The first of these, so that an entity at many sites still fits into an answer."""
    left = _ASSOCIATIONS_BYTES_MAX
    for target in islice(targets, ASSOCIATIONS_SHOWN_MAX):
        document = target.model_dump(exclude_defaults=True)
        left -= document_bytes(document)
        if left < 0:
            return
        yield document


def _sequence(sequence: int) -> int | None:
    """None for what was deleted and never submitted: the record keeps it below all sequences."""
    return sequence if sequence >= INT64_MIN else None


def _known(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
