"""Replays: bringing to a site what the record holds and the site has not got."""

from typing import Annotated, Any, Literal

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation
from infra.openapi.parameters import AFTER, LIMIT, SITE, SITE_ID, WORKSPACE_ID
from infra.openapi.schemas import ABSENT, Page, Shape
from infra.openapi.template import Route
from relay.edge.site_documents import ReplayRequest
from relay.entities.fields import DateTime, WorkspaceId
from relay.errors import BadRequest, Detail

TAG = "Replays"

Count = Annotated[int, Field(ge=0)]


class Replay(Shape):
    """The one replay of a workspace at a site, under way or done; a new one takes its place."""

    workspaceId: WorkspaceId
    """The workspace."""
    state: Literal["waiting", "running", "done"]
    """`running`: a worker is at it. `waiting`: for a worker's turn, or, with `reason`, for the
    site. `done`: all is settled, though the site may have `refused` some."""
    what: Literal["owed", "since", "all"]
    """`owed`: what the site has not answered for. `since`: also what was recorded since then.
    `all`: all that the workspace holds."""
    since: DateTime = ABSENT
    """The moment that was asked for; with `since` alone."""
    why: Literal["requested", "linked", "reinstalled", "owed"]
    """`requested`: by a call. `linked`: the workspace was linked to the site. `reinstalled`: the
    site has the app again. `owed`: the site answers again, and is owed something."""
    startedAt: DateTime
    """When it was begun."""
    updatedAt: DateTime
    """When its numbers were last written."""
    endedAt: DateTime = ABSENT
    """When it was done; absent until then."""
    done: Count
    """How many entities are settled, those that were refused included."""
    refused: Count
    """How many entities the site did not take."""
    total: Count = ABSENT
    """How many entities there are to bring; absent until all are counted."""
    remaining: Count = ABSENT
    """How many entities are left; absent until all are counted."""
    perSecond: Annotated[float, Field(ge=0)] = ABSENT
    """How many entities were settled per second so far; absent until one was."""
    reason: str = ABSENT
    """Why it waits for the site, such as Jira's last answer; absent where it does not."""
    until: DateTime = ABSENT
    """When the site is tried again; of a replay that is `done`, when those are tried by themselves
    over which the site fails although it takes others. Absent where nothing is waited for."""


class ReplayPage(Page):
    """A page of replays."""

    replays: list[Replay]
    """The replays, in the order of their workspaces' ids."""


_PATH = {"site": SITE_ID}
_BEGUN: dict[str, Any] = {
    "workspaceId": WORKSPACE_ID,
    "state": "waiting",
    "what": "owed",
    "why": "requested",
    "startedAt": "2026-01-31T10:30:00.000+00:00",
    "updatedAt": "2026-01-31T10:30:00.000+00:00",
    "done": 0,
    "refused": 0,
}
_SINCE = _BEGUN | {"what": "since", "since": "2026-01-31T08:00:00Z"}
_ALL = _BEGUN | {"what": "all"}
_LINKED = _ALL | {"why": "linked"}
_UNDER_WAY = _LINKED | {
    "state": "running",
    "updatedAt": "2026-01-31T10:30:12.000+00:00",
    "done": 3000,
    "refused": 2,
    "total": 5000,
    "remaining": 2000,
    "perSecond": 250.0,
}
_WAITING = _ALL | {
    "updatedAt": "2026-01-31T10:30:02.000+00:00",
    "total": 5000,
    "remaining": 5000,
    "reason": "Jira answered 429: Rate limit exceeded.",
    "until": "2026-01-31T10:40:02.000+00:00",
}
_DONE = _UNDER_WAY | {
    "state": "done",
    "updatedAt": "2026-01-31T10:30:20.000+00:00",
    "endedAt": "2026-01-31T10:30:20.000+00:00",
    "done": 5000,
    "remaining": 0,
}
_BAD_REQUEST = BadRequest(
    "The body is not a request for a replay.",
    [Detail("", "since_of_all", "`all` leaves nothing for `since` to choose")],
)

OPERATIONS = (
    Operation(
        Route("POST", "/v1/sites/{site}/replay"),
        "replay",
        TAG,
        Caller.PROVIDER,
        "Bring to a site what it has not got, or all once more",
        [
            Answer(
                202,
                "What was begun: a replay of each workspace. Where not all fit into the answer, "
                "`next` is `after` for the list of a site's replays.",
                ReplayPage,
            )
        ],
        [
            Example("owed", 202, _PATH, body={}, answer={"replays": [_BEGUN]}),
            Example(
                "since a moment",
                202,
                _PATH,
                body={"what": "owed", "since": _SINCE["since"]},
                answer={"replays": [_SINCE]},
            ),
            Example(
                "all of a workspace",
                202,
                _PATH,
                body={"what": "all", "workspaceId": WORKSPACE_ID},
                answer={"replays": [_ALL]},
            ),
        ],
        "Relay replays by itself what a site could not take, when a workspace is linked, and when "
        "a site has the app again; this is for all other cases. `all` also replaces, in Jira, what "
        "is there already, as after the site has lost it. A replay takes the place of the one that "
        "the workspace has at this site, so that asking twice does no harm.",
        [SITE],
        ReplayRequest,
        errors=[_BAD_REQUEST, errors.UNKNOWN_SITE, errors.UNKNOWN_LINK, errors.NO_APP],
    ),
    Operation(
        Route("GET", "/v1/sites/{site}/replay"),
        "listReplays",
        TAG,
        Caller.PROVIDER,
        "How far a site's replays are",
        [
            Answer(
                200,
                "A page, in the order of the workspaces' ids: of each the one that was begun last.",
                ReplayPage,
            )
        ],
        [
            Example("begun", 200, _PATH, answer={"replays": [_LINKED]}),
            Example("under way", 200, _PATH, answer={"replays": [_UNDER_WAY]}),
            Example("waiting for the site", 200, _PATH, answer={"replays": [_WAITING]}),
            Example("done", 200, _PATH, answer={"replays": [_DONE]}),
        ],
        "For a key for some workspaces, of these alone.",
        [SITE, LIMIT, AFTER],
        errors=[errors.UNKNOWN_SITE, errors.BAD_QUERY],
    ),
)
