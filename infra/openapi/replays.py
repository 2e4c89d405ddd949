"""Replays: bringing to a site what the record holds and the site has not got."""

from typing import Annotated, Any, Literal

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation
from infra.openapi.parameters import AFTER, LIMIT, SITE, SITE_ID, WORKSPACE_ID
from infra.openapi.schemas import ABSENT, Shape
from infra.openapi.template import Route
from relay.edge.site_documents import ReplayRequest
from relay.entities import WorkspaceId
from relay.entities.fields import DateTime
from relay.errors import BadRequest, Detail

TAG = "Replays"

Count = Annotated[int, Field(ge=0)]


class Replay(Shape):
    """The one replay of a workspace at a site, under way or done; a new one takes its place.

    `running`: a worker is at it. `waiting`: for a worker's turn, or, with `reason`, for the site,
    which is tried again at `until`. `total` is missing until all is counted; `done` of them are
    settled, `refused` of these because the site does not take them, so that it may be `done` while
    not everything is there. It is `done` with `until` where the site fails over some and takes
    others: these are owed, and tried by themselves from then on. `remaining` and `perSecond` say
    how long the rest may take.
    """

    workspaceId: WorkspaceId
    state: Literal["waiting", "running", "done"]
    what: Literal["owed", "since", "all"]
    since: DateTime = ABSENT
    why: Literal["requested", "linked", "reinstalled", "owed"]
    startedAt: DateTime
    updatedAt: DateTime
    endedAt: DateTime = ABSENT
    done: Count
    refused: Count
    total: Count = ABSENT
    remaining: Count = ABSENT
    perSecond: Annotated[float, Field(ge=0)] = ABSENT
    reason: str = ABSENT
    until: DateTime = ABSENT


class ReplayPage(Shape):
    """`next`, where there is one, is `after` of the page that follows, which may be empty."""

    replays: list[Replay]
    next: str = ABSENT


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
