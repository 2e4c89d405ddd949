"""Documents of the operations tool's API, in and out."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from relay.catalog.containers import Container, ContainerDocument, ContainerId
from relay.catalog.webhooks import Attempt, WebhookDocument, check_webhook_host
from relay.catalog.workspaces import Workspace, WorkspaceDocument
from relay.edge.paging import page_document
from relay.edge.request import json_body
from relay.entities.document import (
    CONTAINERS_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    details_of,
    parse_document,
)
from relay.entities.fields import (
    TEXT_MAX,
    WORKSPACE_ID_MAX,
    WORKSPACE_ID_PATTERN,
    Document,
    WorkspaceId,
)
from relay.errors import BadRequest, Detail
from relay.identity.api_keys import ApiKey
from relay.identity.caller import Request

CONTAINERS_MAX = 1000
KEY_ID_PATTERN = r"^[0-9a-f]{16}$"
_CONTAINER_ID: TypeAdapter[str] = TypeAdapter(ContainerId)

ModelT = TypeVar("ModelT", bound=BaseModel)


def checked_workspace_id(workspace_id: str) -> str:
    """Raises BadRequest for an id that would be fragile in a path."""
    if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace_id, re.ASCII):
        characters = f"1 to {WORKSPACE_ID_MAX} characters of A-Z a-z 0-9 . _ ~ -"
        rule = Detail("workspaceId", "pattern", characters)
        raise BadRequest("This is no id for a workspace.", [rule])
    return workspace_id


def checked_container_id(container_id: str) -> str:
    """Raises BadRequest for an id that Jira would not take."""
    try:
        return _CONTAINER_ID.validate_python(container_id)
    except ValidationError as error:
        details = details_of(error, "containerId")
        raise BadRequest("This is no id for a container.", details) from None


def checked_key_id(key_id: str) -> str:
    """Raises BadRequest for what is no key's id, such as the whole key: nothing was revoked."""
    if not re.fullmatch(KEY_ID_PATTERN, key_id):
        rule = Detail("keyId", "pattern", "16 characters of 0-9 a-f, as the list of keys has them")
        raise BadRequest("This is no id of a key.", [rule])
    return key_id


class KeyRequest(Document):
    """A key is for the `workspaces` named, or for all where that is said; one of the two, as a list
    that is forgotten must not open everything."""

    name: Annotated[str, Field(max_length=TEXT_MAX)] = ""
    """What the key is for, to whoever lists keys; empty unless given."""
    workspaces: Annotated[
        list[WorkspaceId],
        Field(fail_fast=True, min_length=1, max_length=1000, default_factory=list),
    ]
    """The ids of the workspaces that the key opens."""
    allWorkspaces: bool = False
    """True for a key to all workspaces, now and later, to sites and to keys; false unless given."""

    @model_validator(mode="after")
    def _for_some_or_for_all(self) -> Self:
        if bool(self.workspaces) == self.allWorkspaces:
            raise PydanticCustomError(
                "for_some_or_for_all", "Name `workspaces`, or set `allWorkspaces` to true"
            )
        return self


class ContainersRequest(Document):
    """Containers to make known, or to change."""

    containers: Annotated[
        list[Container], Field(fail_fast=True, min_length=1, max_length=CONTAINERS_MAX)
    ]
    """The containers; of one id the last one counts."""


def workspace_document(request: Request) -> WorkspaceDocument:
    return parsed(WorkspaceDocument, request, "a workspace")


def webhook_document(request: Request, test_origins: Iterable[str]) -> WebhookDocument:
    document = parsed(WebhookDocument, request, "a webhook")
    check_webhook_host(document.url, test_origins)
    return document


def webhook_answer(url: str | None, attempts: Iterable[Attempt]) -> dict[str, Any]:
    """The secret is never shown."""
    return {"url": url, "attempts": [attempt_document(attempt) for attempt in attempts]}


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    document = {
        "id": attempt.id,
        "event": attempt.event,
        "at": attempt.at,
        "delivered": not attempt.reason,
        "milliseconds": attempt.milliseconds,
        "status": attempt.status,
        "reason": attempt.reason or None,
    }
    return {name: value for name, value in document.items() if value is not None}


def container_document(request: Request, container_id: str) -> Container:
    document = parsed(ContainerDocument, request, "a container")
    return Container(id=checked_container_id(container_id), **document.model_dump())


def containers_document(request: Request) -> list[Container]:
    """Of one id the last one counts."""
    body = parsed(ContainersRequest, request, "a list of containers", CONTAINERS_BYTES_MAX)
    return list({container.id: container for container in body.containers}.values())


def catalog_page(name: str, found: Sequence[Workspace | Container], limit: int) -> dict[str, Any]:
    """A page of the catalog; `next` is what `after` must be for the one that follows."""
    documents = ((one.id, one.model_dump(exclude_none=True)) for one in found)
    return page_document(name, documents, found[-1].id if len(found) == limit else None)


def key_request(request: Request) -> KeyRequest:
    return parsed(KeyRequest, request, "a request for a key")


def key_page(found: Sequence[ApiKey], limit: int) -> dict[str, Any]:
    """A page of keys, which come in the order of the table, each page by age."""
    documents = ((key.id, key_document(key)) for key in found)
    page = page_document("keys", documents, found[-1].id if len(found) == limit else None)
    page["keys"].sort(key=lambda key: key["createdAt"])
    return page


def key_document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "workspaces": None if key.workspaces is None else sorted(key.workspaces),
        "createdAt": key.created_at,
    }


def parsed(
    model: type[ModelT], request: Request, what: str, bytes_max: int = DOCUMENT_BYTES_MAX
) -> ModelT:
    """The request's body; raises BadRequest where it is not `what` it should be."""
    return parse_document(model, json_body(request, bytes_max), what, bytes_max)
