"""Documents of Jira's actions, in and out."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from relay.catalog import Container, Workspace
from relay.edge.answer import Answer, json_answer
from relay.entities.document import parse_document
from relay.identity.caller import Request

_IDS_MAX = 1000


class IdsRequest(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)

    ids: Annotated[list[str], Field(fail_fast=True, max_length=_IDS_MAX)]


def parse_ids(body: bytes) -> list[str]:
    """Raises TooLarge, BadRequest."""
    return parse_document(IdsRequest, body, "a list of ids").ids


def workspace_answer(workspaces: Iterable[Workspace], request: Request) -> Answer:
    found = [
        {
            "id": workspace.id,
            "name": workspace.name,
            "url": workspace.url,
            "avatarUrl": workspace.avatarUrl or logo_url(request),
        }
        for workspace in workspaces
    ]
    return json_answer(200, {"workspaces": found})


def container_answer(containers: Iterable[Container], request: Request) -> Answer:
    found = [
        {
            "id": container.id,
            "name": container.name,
            "url": container.url,
            "avatarUrl": container.avatarUrl or logo_url(request),
            "lastUpdatedDate": container.lastUpdatedDate,
        }
        for container in containers
    ]
    return json_answer(200, {"containers": found})


def logo_url(request: Request) -> str:
    """Jira's shape has an avatar for each; one without its own shows the app's."""
    return f"{request.base_url}/logo.svg"
