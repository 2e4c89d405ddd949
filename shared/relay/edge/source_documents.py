"""Documents of sources: requests parsed, answers built."""

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

from relay.catalog.source_deliveries import SourceDelivery
from relay.catalog.sources import DeliveryState, Source
from relay.catalog.workspaces import Workspace
from relay.edge.action_documents import logo_url
from relay.edge.answer import page_of, present
from relay.edge.documents import parsed
from relay.entities.model import EntityKey, Kind
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request
from relay.provider.source_intake import Origin, Taken
from relay.sources.changes import Reading
from relay.sources.document import SOURCE_ID_MAX, SOURCE_ID_PATTERN, SourceDocument
from relay.sources.mapping import Mapped
from relay.sources.signatures import Call
from relay.sources.tool import KINDS, tool_of

if TYPE_CHECKING:
    from relay.edge.shapes import sources as shapes
    from relay.edge.shapes.errors import ErrorDetail

# Of the parts of one payload that could not be read.
_DETAILS_MAX = 100


def checked_source_id(source_id: str) -> str:
    """The id. Raises BadRequest if it could be ambiguous in a path."""
    if not re.fullmatch(SOURCE_ID_PATTERN, source_id, re.ASCII):
        characters = f"1 to {SOURCE_ID_MAX} characters of A-Z a-z 0-9 . _ ~ -"
        raise BadRequest(
            "`sourceId` is not a valid source id.", [Detail("sourceId", "pattern", characters)]
        )
    return source_id


def source_request(request: Request) -> SourceDocument:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(SourceDocument, request, "a source")


def delivery_state(value: str | None) -> DeliveryState | None:
    """Raises BadRequest for a state that no delivery has."""
    known = get_args(DeliveryState)
    if value is not None and value not in known:
        raise BadRequest(
            "`state` is not a state of deliveries.", [Detail("state", "enum", ", ".join(known))]
        )
    return cast(DeliveryState | None, value)


def address_url(request: Request, address: str | None) -> str | None:
    """The URL of an address; None without one."""
    return f"{request.base_url}/sources/{address}" if address else None


def call_of(request: Request) -> Call:
    """The request as a tool's call."""
    return Call(request.headers, request.body, time.time())


def origin_of(workspace: Workspace, request: Request, correlation_id: str) -> Origin:
    """What the entities of a call are queued with."""
    return Origin(workspace.url, logo_url(request), correlation_id)


def kinds_document() -> "shapes.SourceKinds":
    """All kinds of sources."""
    kinds: list[shapes.SourceTool] = []
    for kind in KINDS:
        tool = tool_of(kind)
        kinds.append(
            {
                "kind": kind,
                "title": tool.title,
                "signing": tool.signing,
                "setup": list(tool.setup),
            }
        )
    return {"kinds": kinds}


def source_document(source: Source, url: str | None = None) -> "shapes.Source":
    """A source without its secret; `url` if it is new."""
    document: shapes.Source = {
        "id": source.id,
        "kind": source.kind,
        "settings": source.settings,
        "hasSecret": source.secret is not None,
        "createdAt": source.created_at,
        "deliveries": {
            "taken": source.counts["taken"],
            "ignored": source.counts["ignored"],
            "refused": source.counts["refused"],
        },
        "lastDelivery": (
            {"at": source.last.at, "state": source.last.state} if source.last else None
        ),
        "url": url,
    }
    return present(document)


def source_page(found: Sequence[Source], limit: int) -> "shapes.SourcePage":
    """A page of sources; `found` has `limit` members unless it is the last page."""
    documents = ((one.id, source_document(one)) for one in found)
    page, following = page_of(documents, found[-1].id if len(found) == limit else None)
    document: shapes.SourcePage = {"sources": page, "next": following}
    return present(document)


def delivery_page(
    found: Sequence[SourceDelivery], following: str | None
) -> "shapes.SourceDeliveryPage":
    """A page of deliveries; `following` is the cursor of the next one."""
    documents = ((one.id, _delivery_document(one)) for one in found)
    page, after = page_of(documents, following)
    document: shapes.SourceDeliveryPage = {"deliveries": page, "next": after}
    return present(document)


def taken_document(taken: Taken) -> "shapes.SourceTaken":
    """The answer to a tool's call."""
    delivery = taken.delivery
    document: shapes.SourceTaken = {
        "deliveryId": delivery.id,
        "state": "taken" if delivery.state == "taken" else "ignored",
        "reason": delivery.reason or None,
        "entities": _entities(delivery.entities),
        "details": _details(taken.refused) or None,
    }
    return present(document)


def preview_document(reading: Reading, found: Mapped) -> "shapes.SourcePreview":
    """What Jira would get of a payload."""
    has_any = bool(found.keys or found.services)
    document: shapes.SourcePreview = {
        "event": reading.event,
        "state": "taken" if has_any else "ignored",
        "reason": None if has_any else found.ignored or None,
        "incidents": _of_kind(found, Kind.INCIDENT),
        "reviews": _of_kind(found, Kind.REVIEW),
        "deleted": _entities([one.key for one in found.deletions]),
        "containers": [{"id": one.id, "name": one.name, "url": one.url} for one in found.services],
        "details": _details(found.refused) or None,
    }
    return present(document)


def _of_kind(found: Mapped, kind: Kind) -> list[Any]:
    return [state.entity for state in found.states if state.kind is kind]


def _details(details: Sequence[Detail]) -> "list[ErrorDetail]":
    """The first ones: thousands would not fit into an answer, and a tool shows none of them."""
    shown = list(details[:_DETAILS_MAX])
    if len(details) > len(shown):
        shown.append(Detail("", "more", f"And {len(details) - len(shown)} more"))
    return [{"path": one.path, "rule": one.rule, "message": one.message} for one in shown]


def _delivery_document(delivery: SourceDelivery) -> "shapes.SourceDelivery":
    document: shapes.SourceDelivery = {
        "id": delivery.id,
        "at": delivery.at,
        "event": delivery.event,
        "state": delivery.state,
        "reason": delivery.reason or None,
        "entities": _entities(delivery.entities),
    }
    return present(document)


def _entities(keys: Sequence[EntityKey]) -> "list[shapes.SourceEntity]":
    return [{"kind": kind, "id": entity_id} for kind, entity_id in keys]
