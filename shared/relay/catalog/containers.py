"""The catalog's containers, with an index for searches by any part of a name.

| pk | sk | holds |
|---|---|---|
| `container#<workspaceId>` | `<id>` | the container |
| `name#<workspaceId>` | `<rest>` NUL `<0 or 1>` NUL `<id>` | index: each suffix of the name |
| `updated#<workspaceId>` | `<lastUpdatedDate>` NUL `<id>` | index: the time of the last change |

A name that contains a text has a row that starts with it. So a search reads only rows that match,
however many containers there are. `0` marks the row of the whole name, and NUL sorts before any
other character, so a full match is the first row.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, pairwise, zip_longest
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from relay import keys
from relay.entities.fields import ContainerId, DateTime, Description, Document, Summary, Url
from relay.entities.moment import moment_of
from relay.errors import Detail, NotFound, TooLarge
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RESULTS_MAX = 50
# A search reads pages of rows until they name RESULTS_MAX containers. A name that contains the text
# several times has several rows.
_ROWS_PER_PAGE = 100
_PAGES_MAX = 10
# Keeps a row, with the id, within the 1,024 bytes of a sort key.
_INDEXED_CHARACTERS = 100
# The limit for all normalized names in a request, old ones included. Each character may be an index
# row to write or delete, so a request makes at most about a thousand calls.
NAMES_CHARACTERS_MAX = 25_600
_NUL = "\0"
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


Tier = Literal["Tier 1", "Tier 2", "Tier 3", "Tier 4"]
ComponentType = Literal[
    "Service",
    "Application",
    "Library",
    "Capability",
    "Cloud resource",
    "Data pipeline",
    "Machine learning model",
    "UI element",
    "Website",
    "Other",
]


class ContainerDocument(Document):
    """A container, such as a service, as the operations tool describes it."""

    name: Annotated[Summary, Field(min_length=1)]
    """The name that users see and search for in Jira."""
    url: Url
    """The container's page in the operations tool."""
    avatarUrl: Url | None = None
    """An image for the container; without one, Jira shows the app's logo."""
    lastUpdatedDate: DateTime
    """When the operations tool last changed the container."""
    # Only for Jira's DevOps components (see `components`).
    description: Description | None = None
    """The description of the DevOps component in Jira; by default the name."""
    tier: Tier | None = None
    """How critical the DevOps component in Jira is; by default `Tier 4`."""
    componentType: ComponentType | None = None
    """The type of the DevOps component in Jira; by default `Service`."""


class Container(ContainerDocument):
    """A container, such as a service, which incidents can affect."""

    id: ContainerId
    """The operations tool's own id, which incidents list in `affectedComponents`."""


class ContainerStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def get(self, workspace_id: str, container_id: str) -> Container:
        """The container. Raises NotFound."""
        item = self._table.get(keys.containers(workspace_id), container_id)
        if item is None:
            raise NotFound(f"There is no container {container_id!r}.", code="unknown_container")
        return container_of(item)

    def get_all(self, workspace_id: str, container_ids: Iterable[str]) -> list[Container]:
        """The existing ones of these containers, in no order."""
        pk = keys.containers(workspace_id)
        found = self._table.get_all([(pk, container_id) for container_id in container_ids])
        return list(map(container_of, found))

    def put_all(self, workspace_id: str, containers: Sequence[Container]) -> None:
        """Save containers with different ids; repeating is safe.

        Raises TooLarge if their names have more than NAMES_CHARACTERS_MAX characters in all.

        The index never misses a container, even if this stops halfway: new rows are written first,
        and rows of an old name are deleted last. A search checks each row against its container.
        """
        known = self.get_all(workspace_id, [container.id for container in containers])
        _check_names(containers, known)
        before = index_keys(workspace_id, known)
        rows = {
            (row["pk"], row["sk"]): row
            for container in containers
            for row in index_rows(workspace_id, container)
        }
        self._table.write_all(puts=rows.values())
        self._table.write_all(
            puts=[container_item(workspace_id, container) for container in containers]
        )
        self._table.write_all(deletes=before - rows.keys())

    def delete(self, workspace_id: str, container_id: str) -> None:
        """Delete the container, if it exists, and its index rows."""
        rows = index_keys(workspace_id, self.get_all(workspace_id, [container_id]))
        self._table.write_all(deletes=[(keys.containers(workspace_id), container_id)])
        self._table.write_all(deletes=rows)

    def search(self, workspace_ids: Iterable[str], query: str) -> list[tuple[str, Container]]:
        """Containers whose names contain the query, ignoring case and accents, as (workspace id,
        container).

        Full matches come first, then names that start with the query; otherwise sorted by name. An
        empty query returns the containers that changed last. There are at most 50 results, shared
        evenly between the workspaces.
        """
        wanted = normalized(query)
        order = partial(_rank, wanted) if wanted else _age
        of_each = [
            [(workspace_id, one) for one in sorted(found, key=order)]
            for workspace_id in workspace_ids
            if (found := self._search_workspace(workspace_id, wanted))
        ]
        # The first result of each workspace, then the second of each, and so on.
        in_turn = (one for turn in zip_longest(*of_each) for one in turn if one)
        return sorted(islice(in_turn, RESULTS_MAX), key=lambda one: order(one[1]))

    def _search_workspace(self, workspace_id: str, wanted: str) -> list[Container]:
        if wanted:
            ids = self._ids_by_name(workspace_id, wanted[:_INDEXED_CHARACTERS])
        else:
            rows = self._table.query(
                keys.containers_by_date(workspace_id), limit=RESULTS_MAX, newest=True
            )
            ids = dict.fromkeys(map(_id_of, rows))
        found = self.get_all(workspace_id, ids)
        return [container for container in found if wanted in normalized(container.name)]

    def _ids_by_name(self, workspace_id: str, prefix: str) -> dict[str, None]:
        """The ids of matches in the order of the index, full matches first."""
        pk, after = keys.container_names(workspace_id), ""
        ids: dict[str, None] = {}
        for _ in range(_PAGES_MAX):
            rows = list(self._table.query(pk, prefix, after=after, limit=_ROWS_PER_PAGE))
            ids |= dict.fromkeys(map(_id_of, rows))
            if len(rows) < _ROWS_PER_PAGE or len(ids) >= RESULTS_MAX:
                break
            after = rows[-1]["sk"]
        return ids

    def page(self, workspace_id: str, after: str = "", limit: int = 100) -> list[Container]:
        """At most `limit` containers in the order of their ids, after the id `after`."""
        pk = keys.containers(workspace_id)
        return [container_of(item) for item in self._table.query(pk, after=after, limit=limit)]

    def find_by_url(self, workspace_id: str, url: str) -> Container | None:
        """The first container with this URL, or None. Reads the workspace's containers one by one:
        Jira asks too rarely for an index."""
        items = self._table.query(keys.containers(workspace_id))
        return next((container_of(item) for item in items if item["url"] == url), None)


def _check_names(containers: Iterable[Container], known: Iterable[Container]) -> None:
    """`known` are the stored versions of these containers. Raises TooLarge."""
    names = {container.id: normalized(container.name) for container in containers}
    replaced = [before for one in known if (before := normalized(one.name)) != names[one.id]]
    if sum(map(len, (*names.values(), *replaced))) > NAMES_CHARACTERS_MAX:
        rule = (
            f"Names should have at most {NAMES_CHARACTERS_MAX} characters in all, including names"
            " that they replace; send fewer containers at once"
        )
        raise TooLarge(
            "The names in this request are too long.",
            [Detail("containers", "max_name_characters", rule)],
        )


def index_keys(workspace_id: str, containers: Iterable[Container]) -> set[tuple[str, str]]:
    """The keys of these containers' index rows."""
    return {(row["pk"], row["sk"]) for one in containers for row in index_rows(workspace_id, one)}


def normalized(text: str) -> str:
    """The text without case, accents and surplus whitespace, for comparing names and queries."""
    # NFKD may turn a letter in another script style into an upper-case letter.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    bare = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return " ".join(bare.replace(_NUL, " ").split())


def index_rows(workspace_id: str, container: Container) -> Iterable[Item]:
    """The items of the index by which a container is found."""
    name = normalized(container.name)
    for rest, part in rests_of(name):
        place = _NUL.join((rest, part, container.id))
        yield {"pk": keys.container_names(workspace_id), "sk": place}
    moment = moment_of(container.lastUpdatedDate).isoformat(timespec="microseconds")
    yield {"pk": keys.containers_by_date(workspace_id), "sk": f"{moment}{_NUL}{container.id}"}


def rests_of(name: str) -> Iterable[tuple[str, str]]:
    """The whole name with "0", and its suffixes with "1", for the index.

    A suffix that another one starts with is left out, as the longer one matches the same queries:
    "na" of "banana" is covered by "nana".
    """
    whole = name[:_INDEXED_CHARACTERS]
    yield whole, "0"
    # A normalized query never starts with a space.
    starts = (start for start, mark in enumerate(name) if start and mark != " ")
    rests = {name[start : start + _INDEXED_CHARACTERS] for start in starts} - {whole}
    # Sorted, a text is directly followed by those that start with it.
    for rest, following in pairwise((*sorted({*rests, whole}), "")):
        if rest != whole and not following.startswith(rest):
            yield rest, "1"


def _id_of(row: Item) -> str:
    return str(row["sk"]).rpartition(_NUL)[2]


def _age(container: Container) -> timedelta:
    return _END_OF_TIME - moment_of(container.lastUpdatedDate)


def _rank(wanted: str, container: Container) -> tuple[int, str, str]:
    name = normalized(container.name)
    nearness = 0 if name == wanted else 1 if name.startswith(wanted) else 2
    return nearness, name, container.id


def container_item(workspace_id: str, container: Container) -> Item:
    """The item that holds a container."""
    values = container.model_dump(exclude_none=True, exclude={"id"})
    return {"pk": keys.containers(workspace_id), "sk": container.id} | values


def container_of(item: Item) -> Container:
    """The container in an item."""
    values = {name: item[name] for name in ContainerDocument.model_fields if name in item}
    # Not validated again: a stricter rule must not hide a container that was stored before.
    return Container.model_construct(id=item["sk"], **values)
