"""`relay replay`: what a site has not got is brought there; `relay replays`: how far that is."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from relay_cli.api import Relay, segment
from relay_cli.arguments import SiteArgument
from relay_cli.command import Session
from relay_cli.failure import NOT_ALL, Failure, Misuse, Stopped, Unavailable
from relay_cli.screen import Screen, shown
from relay_cli.sites import find_site
from relay_cli.words import counted, moment, parsed_since, span, time_of_day

Replay = Mapping[str, Any]
Tell = Callable[[Sequence[Replay]], None]

# Seconds between two looks at a replay; and while all that is left to do waits for something.
POLL_SECONDS, WAITING_POLL_SECONDS = 2.0, 10.0
# Looks in a row that find no Relay, after which it is not looked any more.
MISSED_MAX = 5

FollowOption = Annotated[
    bool, typer.Option("--follow", help="Stay, and tell how far they come, until all are done.")
]


def replay(
    session: Session,
    site: SiteArgument,
    workspace: Annotated[
        str | None,
        typer.Option(help="Only what this workspace holds, not all linked ones.", metavar="ID"),
    ] = None,
    owed: Annotated[
        bool,
        typer.Option(
            "--owed", help="What the site has not answered for yet. So it is without an option."
        ),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="All once more, as after the site has lost what it had."),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="What is owed, and all that was recorded since then: 2h, 3d, 2026-01-31, "
            "2026-01-31T09:30:00Z.",
            metavar="WHEN",
            show_default=False,
        ),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Only begin it, and do not stay until it is done.")
    ] = False,
) -> int:
    """Bring to a site what the record holds and the site has not got, and stay until it is done.

    Stopping this command stops no replay; `relay replays SITE --follow` looks at it again.

    Exit code: 0 all done, 1 Jira refused some, 130 stopped while it goes on.
    """
    if everything and (owed or since is not None):
        raise Misuse("--all is more than the others: take one of them.")
    wanted: dict[str, Any] = {"what": "all" if everything else "owed"}
    wanted |= {"since": _moment_of(since)} if since is not None else {}
    wanted |= {"workspaceId": workspace} if workspace is not None else {}
    found = find_site(session.relay, site)
    document = session.relay.document("POST", _path(found["id"]), document=wanted)
    begun = document["replays"]
    if no_wait and session.screen.json:
        session.screen.document(document)
    elif not begun:
        session.screen.note("No workspace is linked to the site, so nothing is to be replayed.")
    elif no_wait:
        session.screen.say(f"{counted(len(begun), 'replay')} begun.")
        session.screen.note(f"`relay replays {found['id']} --follow` tells how far it is.")
    if no_wait or not begun:
        return 0
    # Of a great many that were begun, the answer does not name all.
    named = None if document.get("next") else {one["workspaceId"] for one in begun}
    return _follow(session, found["id"], named)


def replays(session: Session, site: SiteArgument, follow: FollowOption = False) -> int:
    """Show how far a site's replays are: of each linked workspace the one that was begun last."""
    found = find_site(session.relay, site)
    if follow:
        return _follow(session, found["id"], None)
    every = session.relay.every(_path(found["id"]), "replays")
    if session.screen.json:
        session.screen.document({"replays": every})
        return 0
    session.screen.table(
        ("WORKSPACE", "STATE", "WHAT", "WHY", "BEGUN", "DONE", "REFUSED", "NOW"),
        (
            (
                one["workspaceId"],
                one["state"],
                _what(one),
                one["why"],
                moment(one["startedAt"]),
                _done(one),
                f"{one['refused']:,}",
                _now(one),
            )
            for one in every
        ),
    )
    return 0


def follow(
    relay: Relay,
    site_id: str,
    workspace_ids: set[str] | None,
    tell: Tell,
    sleep: Callable[[float], None],
) -> list[Replay]:
    """Look at the replays of these workspaces, or all, until they are done; returns how they ended.

    `tell` is given what each look finds. One of a workspace that is not linked any more is over.
    Raises Unavailable where several looks in a row found no Relay.
    """
    missed = 0
    while True:
        try:
            found: list[Replay] = [*relay.every(_path(site_id), "replays")]
        except Unavailable:
            missed += 1
            if missed == MISSED_MAX:
                raise
            sleep(WAITING_POLL_SECONDS)
            continue
        missed = 0
        found = [
            one for one in found if workspace_ids is None or one["workspaceId"] in workspace_ids
        ]
        tell(found)
        under_way = [one for one in found if one["state"] != "done"]
        if not under_way:
            return found
        all_wait = all("until" in one for one in under_way)
        sleep(WAITING_POLL_SECONDS if all_wait else POLL_SECONDS)


def _follow(session: Session, site_id: str, workspace_ids: set[str] | None) -> int:
    screen = session.screen
    try:
        with _telling(screen) as tell:
            ended = follow(session.relay, site_id, workspace_ids, tell, time.sleep)
    except (KeyboardInterrupt, Unavailable) as error:
        if not screen.json:
            screen.note(f"It goes on. `relay replays {site_id} --follow` looks at it again.")
        raise error if isinstance(error, Failure) else Stopped() from None
    if not screen.json:
        _say_ended(screen, ended)
    return NOT_ALL if any(one["refused"] for one in ended) else 0


@contextmanager
def _telling(screen: Screen) -> Iterator[Tell]:
    """Bars for a person; else a line for each step; as JSON a line for each change."""
    text = TextColumn("{task.description}", markup=False)
    now = TextColumn("{task.fields[now]}", markup=False)
    with screen.bars(text, BarColumn(), MofNCompleteColumn(), now) as bars:
        if bars:
            yield _Bars(bars).tell
        elif screen.json:
            yield _JsonLines(screen).tell
        else:
            yield _Lines(screen).tell


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def tell(self, replays: Sequence[Replay]) -> None:
        for one in replays:
            name = one["workspaceId"]
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(shown(name), total=None, now="")
            self._bars.update(
                self._tasks[name],
                total=one.get("total"),
                completed=one["done"],
                now=shown(_now(one)),
                refresh=True,
            )


class _JsonLines:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last: Sequence[Replay] | None = None

    def tell(self, replays: Sequence[Replay]) -> None:
        if replays != self._last:
            self._screen.line({"replays": replays})
            self._last = replays


class _Lines:
    """A line when a replay begins to do, or to wait for, something else, and at each tenth."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last: dict[str, tuple[Any, ...]] = {}

    def tell(self, replays: Sequence[Replay]) -> None:
        for one in replays:
            total = one.get("total")
            tenth = one["done"] * 10 // total if total else None
            step = (one["state"], one.get("reason"), tenth)
            if self._last.get(one["workspaceId"]) != step:
                self._last[one["workspaceId"]] = step
                said = filter(None, (_done(one), _now(one)))
                self._screen.note(f"{one['workspaceId']}: {'; '.join(said)}")


def _say_ended(screen: Screen, replays: Sequence[Replay]) -> None:
    for one in replays:
        name, refused = one["workspaceId"], one["refused"]
        number = counted(one["done"], "entity", "entities")
        if again := one.get("until"):
            screen.say(
                f"Workspace {name}: {number} gone through. The site fails over some and takes "
                f"others; they are tried again by themselves, first at {moment(again)}."
            )
            screen.note(f"`relay list {name} --state owed` says which, and why.")
        else:
            screen.say(f"Workspace {name}: the site has answered for {number}.")
        if refused:
            screen.say(f"Jira refused {refused:,} of them now.")
            screen.note(f"`relay list {name} --state rejected` says which, and why.")
    if not replays:
        screen.say("There is no replay.")


def _done(replay: Replay) -> str:
    total = replay.get("total")
    return f"{replay['done']:,} of {total:,}" if total is not None else f"{replay['done']:,}"


def _what(replay: Replay) -> str:
    since = replay.get("since")
    return f"since {moment(since)}" if since else str(replay["what"])


def _now(replay: Replay) -> str:
    """What it does now: how fast it is, or why it waits, or when it was done."""
    state = replay["state"]
    if state == "done":
        return f"done {moment(replay.get('endedAt') or replay['updatedAt'])}"
    if replay.get("reason"):
        until = replay.get("until")
        again = f"; goes on at {time_of_day(until)}" if until else ""
        return f"waits: {replay['reason']}{again}"
    if state == "running" and replay.get("total") is None:
        return "gets ready"
    return _pace(replay) or str(state)


def _pace(replay: Replay) -> str:
    speed, left = replay.get("perSecond"), replay.get("remaining")
    if not speed:
        return ""
    words = f"{speed:,.0f} a second" if speed >= 1 else f"{speed * 60:,.0f} a minute"
    lasting = span(left / speed) if left else ""
    return f"{words}, about {lasting} left" if lasting else words


def _moment_of(since: str) -> str:
    """As RFC 3339; raises Misuse."""
    now = datetime.now(UTC)
    found = parsed_since(since, now)
    if found is None:
        raise Misuse(f"--since {since}: expected such as 2h, 3d, or a date as 2026-01-31.")
    if found > now:
        raise Misuse(f"--since {since}: that is still to come.")
    return found.isoformat(timespec="seconds").replace("+00:00", "Z")


def _path(site_id: str) -> str:
    return f"/v1/sites/{segment(site_id)}/replay"
