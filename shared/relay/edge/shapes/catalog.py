"""The catalog: workspaces, containers, webhooks. Workspaces and containers are answered as
`relay.catalog` models them."""

from typing import Annotated, NotRequired, get_args

from pydantic import Field
from typing_extensions import TypedDict

from relay.catalog.containers import Container
from relay.catalog.erasure import WORKSPACE_STAGES
from relay.catalog.webhooks import ATTEMPTS_SHOWN
from relay.catalog.workspaces import Workspace
from relay.edge.documents import CONTAINERS_MAX
from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.entities.fields import DateTime, Url, WorkspaceId
from relay.queues.notices import Event


class WorkspacePage(Page):
    """A page of workspaces."""

    workspaces: Annotated[list[Workspace], Field(max_length=PAGE_MAX)]
    """The workspaces, in the order of their ids."""


class ContainerPage(Page):
    """A page of containers."""

    containers: Annotated[list[Container], Field(max_length=PAGE_MAX)]
    """The containers, in the order of their ids; with `query`, the best match first."""


class PutCount(TypedDict):
    """If an id occurs twice in a body, the last one counts."""

    put: Annotated[int, Field(ge=1, le=CONTAINERS_MAX)]
    """The number of containers created or updated."""


class WebhookAnswer(TypedDict):
    """The webhook, without its secret."""

    url: Url
    """The URL that notices are sent to."""


class WebhookAttempt(TypedDict):
    """One call of the webhook."""

    id: str
    """The notice's `webhook-id`."""
    event: Annotated[str, Field(json_schema_extra={"enum": [*get_args(Event)]})]
    """The event that the notice reports."""
    at: DateTime
    """When the webhook was called."""
    delivered: bool
    """Whether the webhook answered with a status from 200 to 299."""
    milliseconds: Annotated[int, Field(ge=0)]
    """The duration of the call."""
    status: NotRequired[Annotated[int, Field(ge=100, le=999)] | None]
    """The status of the answer; absent if there was none."""
    reason: NotRequired[str | None]
    """Why the notice was not delivered; absent if it was."""


class WebhookStatus(TypedDict):
    """The webhook and its last calls, without its secret."""

    url: Url | None
    """The URL that notices are sent to; null if the workspace has no webhook."""
    attempts: Annotated[list[WebhookAttempt], Field(max_length=ATTEMPTS_SHOWN)]
    """The last calls since the webhook was put, newest first."""


class UnreachedSite(TypedDict):
    """A site at which an erased workspace could not be deleted."""

    site: str
    """The site's id."""
    reason: str
    """Why the last attempt failed."""


class Erasure(TypedDict):
    """The erasure of a workspace, under way or done."""

    workspaceId: WorkspaceId
    """The workspace."""
    stage: Annotated[str, Field(json_schema_extra={"enum": list(WORKSPACE_STAGES)})]
    """`unlink`: it is unlinked in Relay. `wait`: deliveries under way end. `sites`: it is unlinked
    and deleted at its sites. `outcomes`: outcomes, debts and associations are deleted. `record`:
    the entities and receipts. `links`: links, offers and replays. `catalog`: containers, sources,
    the webhook and API keys. `unreached`: sites that were not reached are tried again. `done`:
    nothing of it is left in Relay."""
    startedAt: DateTime
    """When it was started."""
    updatedAt: DateTime
    """When it last made progress."""
    deleted: Annotated[int, Field(ge=0)]
    """The number of items deleted from Relay's tables so far."""
    unreached: list[UnreachedSite]
    """The sites at which it could not be deleted yet; of one that is done, those at which it was
    not."""
