"""Documents of an export: a page of the record, and deletions of another deployment."""

import time
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from relay.edge.answer import page_of, present
from relay.edge.documents import parsed
from relay.edge.entity_documents import cursor_of
from relay.entities.fields import INT64_MIN, DateTime, Document, EntityId, SequenceNumber
from relay.entities.model import EntityKey, Kind
from relay.entities.moment import date_time_of, moment_of
from relay.identity.caller import Request
from relay.provider.deletions import PER_MESSAGE
from relay.record.entry import BEFORE_ALL, Deletion, Entry
from relay.record.store import EntryPage

if TYPE_CHECKING:
    from relay.edge.shapes import export as shapes

# A page's entities, in number and in bytes of JSON. In an answer, that may be three times as many
# bytes; `page_of` then ends the page earlier.
EXPORT_ENTITIES_MAX = 1000
EXPORT_BYTES_MAX = 3_000_000


class AddedDeletion(Document):
    """A deletion that another deployment has recorded."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""
    updateSequenceNumber: SequenceNumber | None = None
    """The number of the last state before the deletion; absent if none was submitted. A recorded
    state with a higher number stays."""
    deletedAt: DateTime
    """When it was deleted. A time in the future counts as now."""


class DeletionsRequest(Document):
    """Deletions that another deployment has recorded."""

    deletions: Annotated[
        list[AddedDeletion], Field(fail_fast=True, min_length=1, max_length=PER_MESSAGE)
    ]
    """The deletions. If an entity occurs twice, the last one counts."""


def added_deletions(request: Request) -> list[Deletion]:
    """The request's deletions, of different entities. Raises BadRequest, TooLarge,
    UnsupportedMedia."""
    body = parsed(DeletionsRequest, request, "a list of deletions")
    now = int(time.time() * 1000)
    found = {EntityKey(one.kind, one.id): one for one in body.deletions}
    return [
        Deletion(
            key,
            BEFORE_ALL if one.updateSequenceNumber is None else one.updateSequenceNumber,
            min(now, round(moment_of(one.deletedAt).timestamp() * 1000)),
        )
        for key, one in found.items()
    ]


def export_page(page: EntryPage) -> "shapes.ExportPage":
    """A page of the record."""
    documents = (
        (cursor_of(entry.key), (_list_of(entry), _exported(entry))) for entry in page.entries
    )
    members, following = page_of(documents, page.next and cursor_of(page.next))
    lists: dict[str, list[Any]] = {"incidents": [], "reviews": [], "deletions": []}
    for name, member in members:
        lists[name].append(member)
    document: Any = {**lists, "next": following}
    found: shapes.ExportPage = present(document)
    return found


def _list_of(entry: Entry) -> str:
    return "deletions" if entry.is_deleted else entry.key.kind.plural


def _exported(entry: Entry) -> dict[str, Any]:
    if entry.deleted_at is not None:
        deletion: shapes.ExportedDeletion = {
            "kind": entry.key.kind,
            "id": entry.key.id,
            "updateSequenceNumber": entry.sequence if entry.sequence >= INT64_MIN else None,
            "deletedAt": date_time_of(entry.deleted_at),
        }
        return dict(present(deletion))
    state: dict[str, Any] = {
        "entity": entry.entity,
        "acceptedAt": date_time_of(entry.accepted_at),
        "properties": dict(entry.properties),
        "providerMetadata": {"product": entry.product} if entry.product else None,
    }
    return present(state)
