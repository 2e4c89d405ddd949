"""Replays."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from relay.edge.shapes import Page
from relay.entities.fields import DateTime, WorkspaceId

Count = Annotated[int, Field(ge=0)]


class Replay(TypedDict):
    """The one replay of a workspace at a site, in progress or done. A new replay replaces it."""

    workspaceId: WorkspaceId
    """The workspace."""
    state: Literal["waiting", "running", "done"]
    """`running`: a worker is processing it. `waiting`: it waits for a worker or, with `reason`, for
    the site. `done`: every entity is settled, though the site may have `refused` some."""
    what: Annotated[str, Field(json_schema_extra={"enum": ["owed", "since", "all"]})]
    """`owed`: what the site has not answered for. `since`: also what was recorded since then.
    `all`: everything that the workspace holds."""
    since: NotRequired[DateTime | None]
    """The requested start; only with `what` = `since`."""
    why: Annotated[
        str,
        Field(
            json_schema_extra={
                "enum": ["requested", "linked", "reinstalled", "owed", "deleted and submitted"]
            }
        ),
    ]
    """`requested`: by a call. `linked`: the workspace was linked to the site. `reinstalled`: the
    site has installed the app again. `owed`: the site answers again and is owed something. `deleted
    and submitted`: an entity was submitted again while the site was deleting it."""
    startedAt: DateTime
    """When it was started."""
    updatedAt: DateTime
    """When its numbers were last written."""
    endedAt: NotRequired[DateTime | None]
    """When it was done; absent until then."""
    done: Count
    """The number of settled entities, including those refused."""
    refused: Count
    """The number of entities that the site refused."""
    total: NotRequired[Count | None]
    """The number of entities to deliver; absent until all are counted."""
    remaining: NotRequired[Count | None]
    """The number of entities left; absent until all are counted."""
    perSecond: NotRequired[Annotated[float, Field(ge=0)] | None]
    """Entities settled per second so far; absent until one is settled."""
    reason: NotRequired[str | None]
    """Why it waits for the site, such as Jira's last answer; absent if it does not wait."""
    until: NotRequired[DateTime | None]
    """When Relay tries the site again. For a replay that is `done`: when Relay retries the entities
    on which the site fails although it accepts others. Absent if the replay waits for nothing."""


class ReplayPage(Page):
    """A page of replays."""

    replays: list[Replay]
    """The replays, in the order of their workspaces' ids."""
