"""The catalog's containers, and the index that finds them by any part of their name.

| pk | sk | holds |
|---|---|---|
| `container#<workspaceId>` | `<id>` | the container |
| `name#<workspaceId>` | `<rest>` NUL `<0 or 1>` NUL `<id>` | the name from each character on |
| `updated#<workspaceId>` | `<lastUpdatedDate>` NUL `<id>` | the container's place in time |

A name that contains a text has a row that begins with it: a search reads the rows of its answer
and no others, however many containers there are. `0` marks the row of the whole name, and NUL sorts
before all else, so a full match is the first row of all.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, pairwise, zip_longest
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from relay import keys
from relay.entities.fields import ID_MAX, DateTime, Description, Document, Summary, Url
from relay.entities.moment import moment_of
from relay.errors import Detail, NotFound, TooLarge
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What Jira asks of the ids that searchContainers answers with.
CONTAINER_ID_PATTERN = r"^[a-zA-Z0-9\-_.~@:{}=]+(/[a-zA-Z0-9\-_.~@:{}=]+)*$"
RESULTS_MAX = 50
# Rows are read until they name as many containers, a page at a time: a name that holds the text
# several times has as many rows.
_ROWS_PER_PAGE = 100
_PAGES_MAX = 10
# With the id, a row stays within the 1,024 bytes of a sort key.
_INDEXED_CHARACTERS = 100
# Of the names in one request, as they are compared: each may be a row of the index that is written,
# or of an old name one that is deleted. So a request makes about a thousand calls at most.
NAMES_CHARACTERS_MAX = 25_600
_NUL = "\0"
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)

ContainerId = Annotated[str, Field(pattern=CONTAINER_ID_PATTERN, max_length=ID_MAX)]


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
    """What the operations tool says of a container, such as a service."""

    name: Annotated[Summary, Field(min_length=1)]
    """The name that people in Jira see, and find it by."""
    url: Url
    """The container's page in the operations tool."""
    avatarUrl: Url | None = None
    """An image for the container; without one, Jira shows the app's logo."""
    lastUpdatedDate: DateTime
    """When the operations tool last changed the container."""
    # Only for Jira's DevOps components (see `components`).
    description: Description | None = None
    """What the component is, for Jira's DevOps components; its name without one."""
    tier: Tier | None = None
    """How critical the component is, for Jira's DevOps components; `Tier 4` without one."""
    componentType: ComponentType | None = None
    """Jira's type of component, for Jira's DevOps components; `Service` without one."""


class Container(ContainerDocument):
    """A container, such as a service: what incidents affect."""

    id: ContainerId
    """The operations tool's own id, which incidents have in `affectedComponents`."""


class ContainerStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def get(self, workspace_id: str, container_id: str) -> Container:
        """Raises NotFound."""
        item = self._table.get(keys.containers(workspace_id), container_id)
        if item is None:
            raise NotFound(f"There is no container {container_id!r}.", code="unknown_container")
        return _container(item)

    def get_all(self, workspace_id: str, container_ids: Iterable[str]) -> list[Container]:
        """Those of these containers that there are."""
        pk = keys.containers(workspace_id)
        found = self._table.get_all([(pk, container_id) for container_id in container_ids])
        return list(map(_container, found))

    def put_all(self, workspace_id: str, containers: Sequence[Container]) -> None:
        """Put containers, which differ in their ids; repeating is safe. Raises TooLarge.

        The index never misses a container, even if this breaks off: its new rows come first, and
        the rows of an old name go last. A search checks what a row says against the container.
        """
        known = self.get_all(workspace_id, [container.id for container in containers])
        _check_names(containers, known)
        before = _rows_of(workspace_id, known)
        rows = {
            (row["pk"], row["sk"]): row
            for container in containers
            for row in _index(workspace_id, container)
        }
        self._table.write_all(puts=rows.values())
        self._table.write_all(puts=[_item(workspace_id, container) for container in containers])
        self._table.write_all(deletes=before - rows.keys())

    def delete(self, workspace_id: str, container_id: str) -> None:
        """Deleting what is not there is fine."""
        rows = _rows_of(workspace_id, self.get_all(workspace_id, [container_id]))
        self._table.write_all(deletes=[(keys.containers(workspace_id), container_id)])
        self._table.write_all(deletes=rows)

    def search(self, workspace_ids: Iterable[str], query: str) -> list[tuple[str, Container]]:
        """Containers whose name contains the query, without regard to case and accents, each with
        its workspace's id.

        Full matches come first, then by name; at most 50, of which each workspace gives its share
        before any is left out. Without a query, those updated last.
        """
        wanted = normalized(query)
        order = partial(_rank, wanted) if wanted else _age
        of_each = [
            [(workspace_id, one) for one in sorted(found, key=order)]
            for workspace_id in workspace_ids
            if (found := self._search_workspace(workspace_id, wanted))
        ]
        # The first of each, then the second of each.
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
        """In the order of the index, which begins with the full matches."""
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
        """A page of containers in the order of their ids."""
        pk = keys.containers(workspace_id)
        return [_container(item) for item in self._table.query(pk, after=after, limit=limit)]

    def find_by_url(self, workspace_id: str, url: str) -> Container | None:
        """The first container of this URL. It reads the workspace's containers up to that one:
        there is no index, as Jira seldom asks."""
        items = self._table.query(keys.containers(workspace_id))
        return next((_container(item) for item in items if item["url"] == url), None)


def _check_names(containers: Iterable[Container], known: Iterable[Container]) -> None:
    """`known` are the same containers as they are stored. Raises TooLarge."""
    names = {container.id: normalized(container.name) for container in containers}
    replaced = [before for one in known if (before := normalized(one.name)) != names[one.id]]
    if sum(map(len, (*names.values(), *replaced))) > NAMES_CHARACTERS_MAX:
        rule = (
            f"Names of at most {NAMES_CHARACTERS_MAX} characters in all, those that are replaced"
            " included; send fewer containers at once"
        )
        raise TooLarge(
            "The names are too many for one request.",
            [Detail("containers", "max_name_characters", rule)],
        )


def _rows_of(workspace_id: str, containers: Iterable[Container]) -> set[tuple[str, str]]:
    """The keys of the index rows of these containers."""
    return {(row["pk"], row["sk"]) for one in containers for row in _index(workspace_id, one)}


def normalized(text: str) -> str:
    """Without case, accents and surplus space: how names and searches are compared."""
    # What NFKD makes of a letter in another script style may have a case of its own.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    bare = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return " ".join(bare.replace(_NUL, " ").split())


def _index(workspace_id: str, container: Container) -> Iterable[Item]:
    name = normalized(container.name)
    for rest, part in rests_of(name):
        place = _NUL.join((rest, part, container.id))
        yield {"pk": keys.container_names(workspace_id), "sk": place}
    moment = moment_of(container.lastUpdatedDate).isoformat(timespec="microseconds")
    yield {"pk": keys.containers_by_date(workspace_id), "sk": f"{moment}{_NUL}{container.id}"}


def rests_of(name: str) -> Iterable[tuple[str, str]]:
    """The name ("0"), and what is left of it from each later character on ("1").

    What another one begins with is left out, as that one is found by all that it is found by:
    "na" of "banana" by "nana".
    """
    whole = name[:_INDEXED_CHARACTERS]
    yield whole, "0"
    # No search begins with a space.
    starts = (start for start, mark in enumerate(name) if start and mark != " ")
    rests = {name[start : start + _INDEXED_CHARACTERS] for start in starts} - {whole}
    # Whatever begins with a text comes right after it.
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


def _item(workspace_id: str, container: Container) -> Item:
    values = container.model_dump(exclude_none=True, exclude={"id"})
    return {"pk": keys.containers(workspace_id), "sk": container.id} | values


def _container(item: Item) -> Container:
    values = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    # It was valid when it was put; a rule that came later hides none.
    return Container.model_construct(id=item["sk"], **values)
