"""Documents of Jira's actions, in and out."""

import time
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from relay.catalog.components import component_of
from relay.catalog.containers import Container
from relay.catalog.workspaces import Workspace
from relay.edge.answer import Answer, json_answer
from relay.edge.paging import page_document
from relay.entities.document import parse_document
from relay.entities.fields import Url
from relay.identity.caller import Request

_IDS_MAX = 1000


class IdsRequest(BaseModel):
    """What Jira wants to know the names of."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    ids: Annotated[list[str], Field(fail_fast=True, max_length=_IDS_MAX)]
    """The ids of workspaces."""


def parse_ids(body: bytes) -> list[str]:
    """Raises TooLarge, BadRequest."""
    return parse_document(IdsRequest, body, "a list of ids").ids


class ComponentEntity(BaseModel):
    """The component, by its URL."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    url: Url
    """The URL that the component was sent to the site with."""


class ComponentRequest(BaseModel):
    """Jira also names the issue and the user; neither is kept."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    entity: ComponentEntity
    """The component that the user chose."""


def component_url(body: bytes) -> str:
    """Raises TooLarge, BadRequest."""
    return parse_document(ComponentRequest, body, "a component's").entity.url


def component_answer(container: Container, request: Request) -> Answer:
    """As the component is sent to Jira."""
    sequence = time.time_ns() // 1_000_000
    return json_answer(200, component_of(container, logo_url(request), sequence))


def workspace_answer(workspaces: Iterable[Workspace], request: Request) -> Answer:
    return json_answer(200, {"workspaces": _workspaces(workspaces, request)})


def catalog_answer(
    workspaces: Iterable[Workspace], containers: Iterable[Container], request: Request
) -> Answer:
    """Of a GET of fetchWorkspaces: what the page of its actions shows, and what the module's.

    Jira has no pages for it: of the workspaces, a site's whole, those that fit into an answer.
    """
    named = ((one["id"], one) for one in _workspaces(workspaces, request))
    found = page_document("workspaces", named, None)["workspaces"]
    return json_answer(200, {"workspaces": found, "containers": _containers(containers, request)})


def container_answer(containers: Iterable[Container], request: Request) -> Answer:
    return json_answer(200, {"containers": _containers(containers, request)})


def _workspaces(workspaces: Iterable[Workspace], request: Request) -> list[dict[str, Any]]:
    return [
        {
            "id": workspace.id,
            "name": workspace.name,
            "url": workspace.url,
            "avatarUrl": workspace.avatarUrl or logo_url(request),
        }
        for workspace in workspaces
    ]


def _containers(containers: Iterable[Container], request: Request) -> list[dict[str, Any]]:
    return [
        {
            "id": container.id,
            "name": container.name,
            "url": container.url,
            "avatarUrl": container.avatarUrl or logo_url(request),
            "lastUpdatedDate": container.lastUpdatedDate,
        }
        for container in containers
    ]


def logo_url(request: Request) -> str:
    """Jira's shape has an avatar for each; one without its own shows the app's."""
    return f"{request.base_url}/logo.svg"
