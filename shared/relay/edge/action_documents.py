"""Documents of Jira's actions: requests parsed, answers built."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from relay.catalog.components import component_of
from relay.catalog.containers import Container
from relay.catalog.workspaces import Workspace
from relay.edge.answer import Answer, json_answer, page_of
from relay.entities.document import parse_document
from relay.entities.fields import Url
from relay.identity.caller import Request

if TYPE_CHECKING:
    from relay.edge.shapes import actions

_IDS_MAX = 1000


class IdsRequest(BaseModel):
    """The workspaces whose names Jira asks for."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    ids: Annotated[list[str], Field(fail_fast=True, max_length=_IDS_MAX)]
    """The ids of workspaces."""


def parse_ids(body: bytes) -> list[str]:
    """The ids. Raises TooLarge, BadRequest."""
    return parse_document(IdsRequest, body, "a list of ids").ids


class ComponentEntity(BaseModel):
    """The component, by its URL."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    url: Url
    """The component's URL, as Relay sent it to the site."""


class ComponentRequest(BaseModel):
    """Jira also names the issue and the user; Relay stores neither."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    entity: ComponentEntity
    """The component that the user chose."""


def component_url(body: bytes) -> str:
    """The component's URL. Raises TooLarge, BadRequest."""
    return parse_document(ComponentRequest, body, "a component call").entity.url


def component_answer(container: Container, request: Request) -> Answer:
    """The component, as it is sent to Jira."""
    sequence = time.time_ns() // 1_000_000
    return json_answer(200, component_of(container, logo_url(request), sequence))


def workspace_answer(workspaces: Iterable[Workspace], request: Request) -> Answer:
    """The answer to fetchWorkspaces."""
    answer: actions.JiraWorkspaces = {"workspaces": _workspaces(workspaces, request)}
    return json_answer(200, answer)


def catalog_answer(
    workspaces: Iterable[Workspace], containers: Iterable[Container], request: Request
) -> Answer:
    """The answer to a GET of fetchWorkspaces, in the shapes of both pages that document it.

    Jira defines no paging for it: the answer has as many of the site's workspaces as fit.
    """
    found, _ = page_of(((one["id"], one) for one in _workspaces(workspaces, request)), None)
    answer: actions.JiraCatalog = {
        "workspaces": found,
        "containers": _containers(containers, request),
    }
    return json_answer(200, answer)


def container_answer(containers: Iterable[Container], request: Request) -> Answer:
    """The answer to searchContainers."""
    answer: actions.JiraContainers = {"containers": _containers(containers, request)}
    return json_answer(200, answer)


def logo_url(request: Request) -> str:
    """The app's logo: Jira requires an avatar for each workspace and container."""
    return logo_at(request.base_url)


def logo_at(base_url: str) -> str:
    """The logo of the app at this URL."""
    return f"{base_url}/logo.svg"


def _workspaces(workspaces: Iterable[Workspace], request: Request) -> "list[actions.JiraWorkspace]":
    return [
        {
            "id": workspace.id,
            "name": workspace.name,
            "url": workspace.url,
            "avatarUrl": workspace.avatarUrl or logo_url(request),
        }
        for workspace in workspaces
    ]


def _containers(containers: Iterable[Container], request: Request) -> "list[actions.JiraContainer]":
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
