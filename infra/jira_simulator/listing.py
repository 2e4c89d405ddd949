"""The lists on a site's page: filtered and sorted, fifty rows per page."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from .formats import in_utc, parse_date_time
from .schemas import Kind
from .sites import Site
from .store import StoredEntity

ROWS_PER_PAGE = 50
SEVERITIES = ("P1", "P2", "P3", "P4", "P5", "unknown")
STATUSES = {
    Kind.INCIDENT: ("open", "resolved", "unknown"),
    Kind.REVIEW: ("in progress", "outstanding actions", "completed", "unknown"),
    Kind.COMPONENT: (),
}
# The field with which entities of a kind name entities of another kind.
_NAMING = {Kind.INCIDENT: "affectedComponents", Kind.REVIEW: "reviews"}


@dataclass(frozen=True)
class Filters:
    """The filters in the page's query; an unknown value means no filter."""

    kind: Kind
    text: str = ""
    status: str = ""
    severity: str = ""
    entity_id: str = ""
    page: int = 1

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> "Filters":
        """Reads the page's query parameters."""
        kinds = {kind.plural: kind for kind in Kind}
        kind = kinds.get(query.get("view", ""), Kind.INCIDENT)
        severities = SEVERITIES if kind is Kind.INCIDENT else ()
        return cls(
            kind=kind,
            text=query.get("q", "").strip(),
            status=_one_of(query.get("status", ""), STATUSES[kind]),
            severity=_one_of(query.get("severity", ""), severities),
            entity_id=query.get("id", ""),
            page=_page_number(query.get("page", "")),
        )

    @property
    def active(self) -> bool:
        """Whether any filter but the kind and the page is set."""
        return bool(self.text or self.status or self.severity or self.entity_id)

    def link_to_page(self, page: int) -> str:
        """The relative link to another page of the same filters."""
        fields = {
            "view": self.kind.plural,
            "q": self.text,
            "status": self.status,
            "severity": self.severity,
            "id": self.entity_id,
            "page": str(page),
        }
        return "?" + urlencode({name: value for name, value in fields.items() if value})

    def match(self, held: StoredEntity, components: Mapping[str, StoredEntity]) -> bool:
        """Whether the entity passes all filters; the text also searches its components' names."""
        entity = held.entity
        return (
            (not self.entity_id or entity["id"] == self.entity_id)
            and (not self.status or entity["status"] == self.status)
            and (not self.severity or severity_of(entity) == self.severity)
            and (not self.text or self.text.casefold() in _searchable(entity, components))
        )


@dataclass(frozen=True)
class Listing:
    """One page of what matches; `first` and `last` count from 1 and are 0 for an empty list."""

    rows: list[dict[str, Any]]
    total: int
    page: int
    pages: int
    first: int
    last: int


@dataclass(frozen=True)
class Overview:
    """The site's visible entities, counted."""

    incidents: Counter[str]
    open_severities: Counter[str]
    reviews: Counter[str]


def list_entities(site: Site, filters: Filters) -> Listing:
    """Returns the page that the filters name, or the last page if there are fewer."""
    components = site.store.entities[Kind.COMPONENT].visible
    matching = [
        held.entity
        for held in site.store.entities[filters.kind].visible.values()
        if filters.match(held, components)
    ]
    if filters.kind is Kind.COMPONENT:
        matching.sort(key=_name)
    else:
        matching.sort(key=_created, reverse=True)
    pages = max(1, -(-len(matching) // ROWS_PER_PAGE))
    page = min(filters.page, pages)
    start = (page - 1) * ROWS_PER_PAGE
    rows = matching[start : start + ROWS_PER_PAGE]
    first = start + 1 if rows else 0
    return Listing(rows, len(matching), page, pages, first, start + len(rows))


def overview(site: Site) -> Overview:
    """Counts the site's visible incidents and reviews."""
    incidents = [held.entity for held in site.store.entities[Kind.INCIDENT].visible.values()]
    reviews = [held.entity for held in site.store.entities[Kind.REVIEW].visible.values()]
    return Overview(
        incidents=Counter(entity["status"] for entity in incidents),
        open_severities=Counter(
            severity_of(entity) for entity in incidents if entity["status"] == "open"
        ),
        reviews=Counter(entity["status"] for entity in reviews),
    )


def naming(site: Site, kind: Kind, entity_ids: Iterable[str]) -> dict[str, list[str]]:
    """Maps each id to the visible entities that name it: components to incidents, for example."""
    found: dict[str, list[str]] = {entity_id: [] for entity_id in entity_ids}
    for naming_id, held in site.store.entities[kind].visible.items():
        for named_id in dict.fromkeys(held.entity[_NAMING[kind]]):
            if named_id in found:
                found[named_id].append(naming_id)
    return found


def title_of(entity: dict[str, Any]) -> str:
    """The entity's summary or name; its id if it has neither."""
    return str(entity.get("summary") or entity.get("name") or entity["id"])


def severity_of(entity: dict[str, Any]) -> str:
    """`P1` to `P5`, or `unknown`."""
    return str(entity.get("severity", {}).get("level", "unknown"))


def _created(entity: dict[str, Any]) -> tuple[datetime, str]:
    return in_utc(parse_date_time(entity["createdDate"])), entity["id"]


def _name(entity: dict[str, Any]) -> tuple[str, str]:
    return title_of(entity).casefold(), entity["id"]


def _searchable(entity: dict[str, Any], components: Mapping[str, StoredEntity]) -> str:
    affected = entity.get("affectedComponents", [])
    names = [title_of(components[name].entity) for name in affected if name in components]
    named = [*affected, *names, *entity.get("reviews", [])]
    return "\n".join([entity["id"], title_of(entity), entity["description"], *named]).casefold()


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    return value if value in allowed else ""


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else 1
