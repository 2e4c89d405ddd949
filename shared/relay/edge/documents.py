"""Documents of the catalog and of API keys: requests parsed, answers built."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Self, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from relay.catalog.containers import Container, ContainerDocument
from relay.catalog.erasure import Erasure
from relay.catalog.webhooks import Attempt, WebhookDocument, check_webhook_host
from relay.catalog.workspaces import Workspace, WorkspaceDocument
from relay.edge.answer import page_of, present
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
    ContainerId,
    Document,
    WorkspaceId,
)
from relay.entities.moment import date_time_of
from relay.errors import BadRequest, Detail
from relay.identity.api_keys import ApiKey
from relay.identity.caller import Request

if TYPE_CHECKING:
    from relay.edge.shapes import catalog, keys

CONTAINERS_MAX = 1000
KEY_ID_PATTERN = r"^[0-9a-f]{16}$"
_CONTAINER_ID: TypeAdapter[str] = TypeAdapter(ContainerId)

ModelT = TypeVar("ModelT", bound=BaseModel)


def checked_workspace_id(workspace_id: str) -> str:
    """The id. Raises BadRequest if it could be ambiguous in a path."""
    if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace_id, re.ASCII):
        characters = f"1 to {WORKSPACE_ID_MAX} characters of A-Z a-z 0-9 . _ ~ -"
        rule = Detail("workspaceId", "pattern", characters)
        raise BadRequest("`workspaceId` is not a valid workspace id.", [rule])
    return workspace_id


def checked_container_id(container_id: str) -> str:
    """The id. Raises BadRequest if Jira would not accept it."""
    try:
        return _CONTAINER_ID.validate_python(container_id)
    except ValidationError as error:
        details = details_of(error, "containerId")
        raise BadRequest("`containerId` is not a valid container id.", details) from None


def checked_key_id(key_id: str) -> str:
    """The id. Raises BadRequest if no key can have it, such as a whole key."""
    if not re.fullmatch(KEY_ID_PATTERN, key_id):
        rule = Detail(
            "keyId", "pattern", "16 characters of 0-9 a-f, as `GET /v1/keys` returns them"
        )
        raise BadRequest("`keyId` is not a valid key id.", [rule])
    return key_id


class KeyRequest(Document):
    """A key for some workspaces, or for all of them. Set either `workspaces` or `allWorkspaces`: a
    missing list must not give access to everything."""

    name: Annotated[str, Field(max_length=TEXT_MAX)] = ""
    """The purpose of the key, for people who list keys; empty by default."""
    workspaces: Annotated[
        list[WorkspaceId],
        Field(fail_fast=True, min_length=1, max_length=1000, default_factory=list),
    ]
    """The ids of the workspaces that the key has access to."""
    allWorkspaces: bool = False
    """True for access to all workspaces, present and future, to sites and to keys; false by
    default."""

    @model_validator(mode="after")
    def _for_some_or_for_all(self) -> Self:
        if bool(self.workspaces) == self.allWorkspaces:
            raise PydanticCustomError(
                "for_some_or_for_all", "Set either `workspaces` or `allWorkspaces`: true"
            )
        return self


class ContainersRequest(Document):
    """Containers to create or update."""

    containers: Annotated[
        list[Container], Field(fail_fast=True, min_length=1, max_length=CONTAINERS_MAX)
    ]
    """The containers. If an id occurs twice, the last one counts."""


def workspace_document(request: Request) -> WorkspaceDocument:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(WorkspaceDocument, request, "a workspace")


def webhook_document(request: Request, test_origins: Iterable[str]) -> WebhookDocument:
    """Raises BadRequest, also for a host that is not public, unless its origin is in
    `test_origins`; TooLarge, UnsupportedMedia."""
    document = parsed(WebhookDocument, request, "a webhook")
    check_webhook_host(document.url, test_origins)
    return document


def webhook_answer(url: str | None, attempts: Iterable[Attempt]) -> "catalog.WebhookStatus":
    """The webhook without its secret; `url` is None if there is none."""
    return {"url": url, "attempts": [attempt_document(attempt) for attempt in attempts]}


def attempt_document(attempt: Attempt) -> "catalog.WebhookAttempt":
    """One call of a webhook."""
    document: catalog.WebhookAttempt = {
        "id": attempt.id,
        "event": attempt.event,
        "at": attempt.at,
        "delivered": not attempt.reason,
        "milliseconds": attempt.milliseconds,
        "status": attempt.status,
        "reason": attempt.reason or None,
    }
    return present(document)


def container_document(request: Request, container_id: str) -> Container:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    document = parsed(ContainerDocument, request, "a container")
    return Container(id=checked_container_id(container_id), **document.model_dump())


def containers_document(request: Request) -> list[Container]:
    """If an id occurs twice, the last one counts. Raises BadRequest, TooLarge,
    UnsupportedMedia."""
    body = parsed(ContainersRequest, request, "a list of containers", CONTAINERS_BYTES_MAX)
    return list({container.id: container for container in body.containers}.values())


def workspace_page(found: Sequence[Workspace], limit: int) -> "catalog.WorkspacePage":
    """A page of workspaces; `found` has `limit` members unless it is the last page."""
    workspaces, following = page_of(((one.id, one) for one in found), _next_id(found, limit))
    document: catalog.WorkspacePage = {"workspaces": workspaces, "next": following}
    return present(document)


def container_page(found: Sequence[Container], limit: int) -> "catalog.ContainerPage":
    """A page of containers; `found` has `limit` members unless it is the last page."""
    containers, following = page_of(((one.id, one) for one in found), _next_id(found, limit))
    document: catalog.ContainerPage = {"containers": containers, "next": following}
    return present(document)


def erasure_document(erasure: Erasure) -> "catalog.Erasure":
    """An erasure and its progress."""
    document: catalog.Erasure = {
        "workspaceId": erasure.subject,
        "stage": erasure.stage.value,
        "startedAt": date_time_of(erasure.started_at),
        "updatedAt": date_time_of(erasure.updated_at),
        "deleted": erasure.deleted,
        "unreached": [
            {"site": site.tenant_id, "reason": site.reason} for site in erasure.unreached
        ],
    }
    return document


def key_request(request: Request) -> KeyRequest:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(KeyRequest, request, "a key request")


def key_page(found: Sequence[ApiKey], limit: int) -> "keys.KeyPage":
    """A page of keys: the pages are in the table's order, the keys of one page by age."""
    documents = ((key.id, key_document(key)) for key in found)
    page, following = page_of(documents, _next_id(found, limit))
    document: keys.KeyPage = {
        "keys": sorted(page, key=lambda key: key["createdAt"]),
        "next": following,
    }
    return present(document)


def key_document(key: ApiKey) -> "keys.Key":
    """A key without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "workspaces": None if key.workspaces is None else sorted(key.workspaces),
        "createdAt": key.created_at,
    }


def _next_id(found: Sequence[Workspace | Container | ApiKey], limit: int) -> str | None:
    return found[-1].id if len(found) == limit else None


def parsed(
    model: type[ModelT], request: Request, what: str, bytes_max: int = DOCUMENT_BYTES_MAX
) -> ModelT:
    """The request's body. Raises BadRequest if it is not `what`, such as "a workspace"; TooLarge,
    UnsupportedMedia."""
    return parse_document(model, json_body(request, bytes_max), what, bytes_max)
