"""The parameters of operations, by name; `operation.name` overrides one for an operation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from relay.catalog.sources import DeliveryState
from relay.edge.query import PAGE_MAX
from relay.edge.shapes.forge import AnyId
from relay.edge.shapes.keys import KeyId
from relay.edge.shapes.submissions import SubmissionId
from relay.entities.fields import (
    ID_MAX,
    SITE_ID_MAX,
    TEXT_MAX,
    ContainerId,
    EntityId,
    Properties,
    WorkspaceId,
)
from relay.entities.workspace_ids import WorkspaceIds
from relay.record.outcomes import OutcomeState
from relay.sources.document import SOURCE_ID_PATTERN

SITE_ID = "5f0c5b1e8d3a4f7f9c2e6b7a8d9e0f1a"
OTHER_SITE_ID = "b7d1a4c09e5f4d2c8a6b3f1e0d9c8b7a"
# The ids of the examples' workspace at a site.
IDS = WorkspaceIds("p4x8q2vn")


@dataclass(frozen=True)
class Parameter:
    """`schema` is a type for pydantic, with its limits; `example` is a value in a path."""

    name: str
    schema: Any
    description: str
    where: Literal["path", "query", "header"] = "query"
    example: str = ""
    required: bool = False
    # Stands for all parameters of the query: OpenAPI's form of "any name".
    explode: bool = False


def _path(name: str, schema: Any, description: str, example: str) -> Parameter:
    return Parameter(name, schema, description, "path", example, required=True)


# The address of the source in the examples.
SOURCE_ADDRESS = "an-address-with-256-random-bits"
SourceId = Annotated[str, Field(pattern=SOURCE_ID_PATTERN)]
_SiteId = Annotated[str, Field(max_length=SITE_ID_MAX)]
_PATH: Mapping[str, Parameter] = {
    one.name: one
    for one in (
        _path("workspaceId", WorkspaceId, "The workspace.", "payments"),
        _path(
            "containerId", ContainerId, "The container; slashes need no encoding.", "checkout-api"
        ),
        _path("incidentId", EntityId, "The incident, by the operations tool's own id.", "inc-1"),
        _path("reviewId", EntityId, "The review, by the operations tool's own id.", "rev-1"),
        _path(
            "site",
            Annotated[str, Field(min_length=1)],
            "The site, by its id in `GET /v1/sites`.",
            SITE_ID,
        ),
        _path("sourceId", SourceId, "The source.", "alertmanager"),
        _path("address", str, "The end of the source's `url`.", SOURCE_ADDRESS),
        _path(
            "submissionId",
            SubmissionId,
            "The id in the answer to the submission.",
            "1769852700123-8f14e45f-ceea-467f-a8f2-0d1a3c5e7b90",
        ),
        _path("keyId", KeyId, "The key's id, not the key.", "0123456789abcdef"),
    )
}
_OTHERS: Mapping[str, Parameter] = {
    "limit": Parameter(
        "limit",
        Annotated[int, Field(ge=1, le=PAGE_MAX)],
        f"The maximum number of members of a page; by default {PAGE_MAX}.",
    ),
    "after": Parameter(
        "after",
        Annotated[str, Field(min_length=1, max_length=ID_MAX)],
        "The `next` of the previous page; by default the first page.",
    ),
    "listSubmissions.after": Parameter(
        "after", SubmissionId, "The `next` of the previous page; by default the first page."
    ),
    "listEntities.after": Parameter("after", str, "The `next` of the previous page."),
    "dryRun": Parameter("dryRun", bool, "Only validate; accept nothing."),
    "text": Parameter(
        "text",
        Annotated[str, Field(min_length=1, max_length=TEXT_MAX)],
        "Only entities that hold this text anywhere; case and accents are ignored.",
    ),
    "erase": Parameter(
        "erase", bool, "Delete everything of the workspace, in Jira too; needs a key for all."
    ),
    "gone": Parameter(
        "gone", bool, "The site no longer exists, or lost the app without telling Relay."
    ),
    "state": Parameter("state", OutcomeState, "Only entities in this state at some site."),
    "listPageEntities.state": Parameter(
        "state", Literal["owed", "refused"], "Only entities in this state.", required=True
    ),
    "listPageEntities.query": Parameter(
        "query", Annotated[str, Field(max_length=TEXT_MAX)], "Any part of the id or the summary."
    ),
    "listPageEntities.after": Parameter("after", str, "The `next` of the previous page."),
    "listSourceDeliveries.state": Parameter(
        "state", DeliveryState, "Only deliveries in this state."
    ),
    "listSourceDeliveries.after": Parameter("after", str, "The `next` of the previous page."),
    "confirm": Parameter("confirm", bool, "Also ask Jira what it stores."),
    "properties": Parameter(
        "properties",
        Annotated[Properties, Field(min_length=1)],
        "Each parameter of the query is a property and its value.",
        required=True,
        explode=True,
    ),
    "query": Parameter("query", str, "Any part of the name."),
    "ids": Parameter("ids", str, "Ids, separated by commas; by default all."),
    "findWorkspaces.searchQuery": Parameter("searchQuery", str, "A part of the names."),
    "searchQuery": Parameter("searchQuery", str, "Any part of the name."),
    "searchContainers.workspaceId": Parameter(
        "workspaceId", str, "One workspace; by default all of the site's."
    ),
    "userId": Parameter("userId", str, "Not read."),
    "incident": Parameter("incident", _SiteId, "The incident's id at the site."),
    "component": Parameter("component", _SiteId, "The component's id at the site."),
    "migrationId": Parameter("migrationId", AnyId, "The migration.", required=True),
    "x-forge-oauth-system": Parameter(
        "x-forge-oauth-system",
        Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,8192}$")],
        "The system token for calls to the site's Jira. Without it, Relay keeps the last one.",
        "header",
    ),
}


def in_path(route: str) -> list[Parameter]:
    """The parameters of a route's path. Raises KeyError for one without a description."""
    return [_PATH[name] for name in re.findall(r"{(\w+)}", route)]


def parameter(operation_id: str, name: str) -> Parameter:
    """A query parameter or a header of an operation. Raises KeyError for an unknown name."""
    return _OTHERS.get(f"{operation_id}.{name}") or _OTHERS[name]
