"""The catalog: workspaces, their containers, their webhooks."""

from typing import Annotated, Literal

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.parameters import (
    AFTER,
    CONTAINER,
    CONTAINER_ID,
    LIMIT,
    WORKSPACE,
    WORKSPACE_ID,
)
from infra.openapi.schemas import ABSENT, Page, Shape
from infra.openapi.template import Route
from relay.catalog.containers import NAMES_CHARACTERS_MAX, Container, ContainerDocument
from relay.catalog.webhooks import ATTEMPTS_SHOWN, WebhookDocument
from relay.catalog.workspaces import Workspace, WorkspaceDocument
from relay.edge.documents import CONTAINERS_MAX, ContainersRequest
from relay.edge.query import PAGE_MAX
from relay.entities.document import CONTAINERS_BYTES_MAX
from relay.entities.fields import DateTime, Url

TAG = "Catalog"


class WorkspacePage(Page):
    """A page of workspaces."""

    workspaces: Annotated[list[Workspace], Field(max_length=PAGE_MAX)]
    """The workspaces, in the order of their ids."""


class ContainerPage(Page):
    """A page of containers."""

    containers: Annotated[list[Container], Field(max_length=PAGE_MAX)]
    """The containers, in the order of their ids; with a query the best match first."""


class PutCount(Shape):
    """Of one id in a body the last one counts."""

    put: Annotated[int, Field(ge=1, le=CONTAINERS_MAX)]
    """How many containers were made known or changed."""


class WebhookAnswer(Shape):
    """The webhook; its secret is never shown."""

    url: Url
    """The URL that notices are sent to."""


class WebhookAttempt(Shape):
    """One call of the webhook."""

    id: str
    """The notice's `webhook-id`."""
    event: Literal["entity.associated", "entity.disassociated", "webhook.test"]
    """What the notice told of."""
    at: DateTime
    """When it was called."""
    delivered: bool
    """Whether it answered with a status from 200 to 299."""
    milliseconds: Annotated[int, Field(ge=0)]
    """How long the call took."""
    status: Annotated[int, Field(ge=100, le=999)] = ABSENT
    """The status of its answer; absent where there was none."""
    reason: str = ABSENT
    """Why the notice was not delivered, in words; absent where it was."""


class WebhookStatus(Shape):
    """The webhook and its last calls; its secret is never shown."""

    url: Url | None
    """The URL that notices are sent to; null where the workspace has no webhook."""
    attempts: Annotated[list[WebhookAttempt], Field(max_length=ATTEMPTS_SHOWN)]
    """The last calls since the webhook was put, the newest first."""


_WORKSPACE = {"name": "Payments", "url": "https://ops.example.com/teams/payments"}
_WORKSPACE_ANSWER = _WORKSPACE | {"id": WORKSPACE_ID}
_CONTAINER = {
    "name": "Checkout API",
    "url": "https://ops.example.com/services/checkout-api",
    "lastUpdatedDate": "2026-01-31T09:30:00Z",
}
_CONTAINER_ANSWER = _CONTAINER | {"id": CONTAINER_ID}
_WEBHOOK_URL = {"url": "https://ops.example.com/hooks/relay"}
_WEBHOOK = _WEBHOOK_URL | {"secret": "whsec_bm90IGEgc2VjcmV0LCBqdXN0IGFuIGV4YW1wbGU="}
_ATTEMPT = {
    "id": "0b9c6b0a6d7f4e0f9a3d2c1b5e8f7a64",
    "event": "webhook.test",
    "at": "2026-01-31T09:45:00.250+00:00",
    "delivered": True,
    "milliseconds": 84,
    "status": 204,
}
_NOT_DELIVERED = {name: value for name, value in _ATTEMPT.items() if name != "status"} | {
    "delivered": False,
    "milliseconds": 12,
    "reason": "Its host has no address.",
}
_PATH = {"workspaceId": WORKSPACE_ID}
_CONTAINER_PATH = _PATH | {"containerId": CONTAINER_ID}
_GONE = [Answer(204, "It is not there (any more).")]

OPERATIONS = (
    Operation(
        Route("GET", "/v1/workspaces"),
        "listWorkspaces",
        TAG,
        Caller.PROVIDER,
        "List the workspaces that the key is for",
        [Answer(200, "A page, in the order of their ids.", WorkspacePage)],
        [
            Example("first page", 200, answer={"workspaces": [_WORKSPACE_ANSWER]}),
            Example(
                "full page",
                200,
                query={"limit": "1", "after": "a"},
                answer={"workspaces": [_WORKSPACE_ANSWER], "next": WORKSPACE_ID},
            ),
        ],
        parameters=[LIMIT, AFTER],
        errors=[errors.BAD_QUERY],
    ),
    Operation(
        Route("PUT", "/v1/workspaces/{workspaceId}"),
        "putWorkspace",
        TAG,
        Caller.PROVIDER,
        "Make a workspace known, or change it",
        [Answer(200, "The workspace.", Workspace)],
        [Example("workspace", 200, _PATH, body=_WORKSPACE, answer=_WORKSPACE_ANSWER)],
        parameters=[WORKSPACE],
        body=WorkspaceDocument,
        errors=[errors.BAD_BODY],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}"),
        "getWorkspace",
        TAG,
        Caller.PROVIDER,
        "One workspace",
        [Answer(200, "The workspace.", Workspace)],
        [Example("workspace", 200, _PATH, answer=_WORKSPACE_ANSWER)],
        parameters=[WORKSPACE],
        errors=[errors.UNKNOWN_WORKSPACE],
    ),
    Operation(
        Route("DELETE", "/v1/workspaces/{workspaceId}"),
        "deleteWorkspace",
        TAG,
        Caller.PROVIDER,
        "Forget a workspace",
        _GONE,
        [Example("workspace", 204, _PATH)],
        "It takes no more submissions; its links stay, and what was recorded of it.",
        [WORKSPACE],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/containers"),
        "listContainers",
        TAG,
        Caller.PROVIDER,
        "List a workspace's containers, or search them by name",
        [
            Answer(
                200,
                "A page in the order of their ids; with a query the best of what was found.",
                ContainerPage,
            )
        ],
        [
            Example("first page", 200, _PATH, answer={"containers": [_CONTAINER_ANSWER]}),
            Example(
                "search", 200, _PATH, {"query": "check"}, answer={"containers": [_CONTAINER_ANSWER]}
            ),
        ],
        parameters=[
            WORKSPACE,
            Parameter("query", str, "Any part of the name.", "query"),
            LIMIT,
            AFTER,
        ],
        errors=[errors.BAD_QUERY],
    ),
    Operation(
        Route("POST", "/v1/workspaces/{workspaceId}/containers"),
        "putContainers",
        TAG,
        Caller.PROVIDER,
        "Make containers known, or change them",
        [Answer(200, "How many.", PutCount)],
        [Example("one", 200, _PATH, body={"containers": [_CONTAINER_ANSWER]}, answer={"put": 1})],
        f"At most {CONTAINERS_MAX} containers, in at most {CONTAINERS_BYTES_MAX} bytes of JSON."
        f" Their names, with those replaced, have at most {NAMES_CHARACTERS_MAX} characters"
        " in all, as they are compared (NFKD, without accents); more is answered 413.",
        parameters=[WORKSPACE],
        body=ContainersRequest,
        errors=[errors.BAD_BODY],
    ),
    Operation(
        Route("PUT", "/v1/workspaces/{workspaceId}/containers/{containerId}"),
        "putContainer",
        TAG,
        Caller.PROVIDER,
        "Make a container known, or change it",
        [Answer(200, "The container.", Container)],
        [Example("container", 200, _CONTAINER_PATH, body=_CONTAINER, answer=_CONTAINER_ANSWER)],
        parameters=[WORKSPACE, CONTAINER],
        body=ContainerDocument,
        errors=[errors.BAD_BODY],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/containers/{containerId}"),
        "getContainer",
        TAG,
        Caller.PROVIDER,
        "One container",
        [Answer(200, "The container.", Container)],
        [Example("container", 200, _CONTAINER_PATH, answer=_CONTAINER_ANSWER)],
        parameters=[WORKSPACE, CONTAINER],
        errors=[errors.UNKNOWN_CONTAINER],
    ),
    Operation(
        Route("DELETE", "/v1/workspaces/{workspaceId}/containers/{containerId}"),
        "deleteContainer",
        TAG,
        Caller.PROVIDER,
        "Forget a container",
        _GONE,
        [Example("container", 204, _CONTAINER_PATH)],
        parameters=[WORKSPACE, CONTAINER],
    ),
    Operation(
        Route("PUT", "/v1/workspaces/{workspaceId}/webhook"),
        "putWebhook",
        TAG,
        Caller.PROVIDER,
        "Name the workspace's webhook, or change it",
        [Answer(200, "Its URL.", WebhookAnswer)],
        [Example("webhook", 200, _PATH, body=_WEBHOOK, answer=_WEBHOOK_URL)],
        "It is told, as Standard Webhooks asks, when Jira's users associate or disassociate an "
        "entity of the workspace: `entity.associated`, `entity.disassociated`. The host must be "
        "public: one that leads to a private or local address is not called.",
        [WORKSPACE],
        WebhookDocument,
        errors=[errors.BAD_BODY],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/webhook"),
        "getWebhook",
        TAG,
        Caller.PROVIDER,
        "The workspace's webhook",
        [Answer(200, "Its URL, and the last attempts to tell it.", WebhookStatus)],
        [
            Example("not called yet", 200, _PATH, answer=_WEBHOOK_URL | {"attempts": []}),
            Example("taken", 200, _PATH, answer=_WEBHOOK_URL | {"attempts": [_ATTEMPT]}),
            Example("not taken", 200, _PATH, answer=_WEBHOOK_URL | {"attempts": [_NOT_DELIVERED]}),
        ],
        parameters=[WORKSPACE],
    ),
    Operation(
        Route("POST", "/v1/workspaces/{workspaceId}/webhook/test"),
        "testWebhook",
        TAG,
        Caller.PROVIDER,
        "Send the workspace's webhook a test at once",
        [Answer(200, "What came of it, whether it was taken or not.", WebhookAttempt)],
        [
            Example("taken", 200, _PATH, answer=_ATTEMPT),
            Example("not taken", 200, _PATH, answer=_NOT_DELIVERED),
        ],
        "It is signed as every notice is, its type is `webhook.test`, and it is sent once only: "
        "the webhook has ten seconds to answer.",
        [WORKSPACE],
        errors=[errors.UNKNOWN_WEBHOOK],
    ),
    Operation(
        Route("DELETE", "/v1/workspaces/{workspaceId}/webhook"),
        "deleteWebhook",
        TAG,
        Caller.PROVIDER,
        "Remove the workspace's webhook",
        _GONE,
        [Example("webhook", 204, _PATH)],
        parameters=[WORKSPACE],
    ),
)
