"""Parameters that several areas share, and the values that their examples take."""

from typing import Annotated

from pydantic import Field

from infra.openapi.operation import Parameter
from relay.catalog.containers import ContainerId
from relay.edge.query import PAGE_MAX
from relay.entities.fields import ID_MAX, SITE_ID_MAX, EntityId, WorkspaceId
from relay.entities.workspace_ids import WorkspaceIds

SITE_ID = "5f0c5b1e8d3a4f7f9c2e6b7a8d9e0f1a"
OTHER_SITE_ID = "b7d1a4c09e5f4d2c8a6b3f1e0d9c8b7a"
CLOUD_ID = "4c822e2f-510f-48b9-b8d2-8419d0932949"
INSTALLATION_ID = "ari:cloud:ecosystem::installation/11c7bb1e-51f3-4f43-9c4b-6f0d2f5f7a21"
WORKSPACE_ID = "payments"
CONTAINER_ID = "checkout-api"
INCIDENT_ID = "inc-1"
REVIEW_ID = "rev-1"
# How the site of the examples knows what is in the workspace.
IDS = WorkspaceIds("p4x8q2vn")

WORKSPACE = Parameter("workspaceId", WorkspaceId, "The workspace.")
CONTAINER = Parameter("containerId", ContainerId, "The container; slashes may stand as they are.")
INCIDENT = Parameter("incidentId", EntityId, "The incident, by the operations tool's own id.")
REVIEW = Parameter("reviewId", EntityId, "The review, by the operations tool's own id.")
SITE = Parameter(
    "site",
    Annotated[str, Field(min_length=1)],
    "The site, by the id that `GET /v1/sites` gives it.",
)
LIMIT = Parameter(
    "limit",
    Annotated[int, Field(ge=1, le=PAGE_MAX)],
    f"How many a page may hold; {PAGE_MAX} unless given.",
    "query",
)
AFTER = Parameter(
    "after",
    Annotated[str, Field(min_length=1, max_length=ID_MAX)],
    "`next` of the page before; the first page unless given.",
    "query",
)
_SITE_ID = Annotated[str, Field(max_length=SITE_ID_MAX)]
INCIDENT_QUERY = Parameter(
    "incident", _SITE_ID, "The incident's id, as the site knows it.", "query"
)
COMPONENT_QUERY = Parameter(
    "component", _SITE_ID, "The component's id, as the site knows it.", "query"
)
