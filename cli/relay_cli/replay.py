"""`relay replay` delivers what a site lacks; `relay replays` shows the progress."""

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
Report = Callable[[Sequence[Replay]], None]

# Seconds between two polls; the second if every replay waits.
POLL_SECONDS, WAITING_POLL_SECONDS = 2.0, 10.0
# Failed polls in a row, after which the command gives up.
MISSED_MAX = 5

FollowOption = Annotated[
    bool, typer.Option("--follow", help="Wait until all are done, and show the progress.")
]


def replay(
    session: Session,
    site: SiteArgument,
    workspace: Annotated[
        str | None,
        typer.Option(help="Only this workspace, not all linked ones.", metavar="ID"),
    ] = None,
    owed: Annotated[
        bool,
        typer.Option("--owed", help="What the site has not answered for yet. This is the default."),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Everything, such as after the site lost its data."),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="What is owed, and what was recorded since then: 2h, 3d, 2026-01-31, "
            "2026-01-31T09:30:00Z.",
            metavar="WHEN",
            show_default=False,
        ),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Start the replay without waiting for its end.")
    ] = False,
) -> int:
    """Deliver to a site what is recorded and the site lacks, and wait until it is done.

    Stopping this command does not stop the replay; `relay replays SITE --follow` shows it again.

    Exit code: 0 all done, 1 Jira refused some, 130 stopped while the replay continues.
    """
    if everything and (owed or since is not None):
        raise Misuse("--all includes --owed and --since: pass only one of them.")
    wanted: dict[str, Any] = {"what": "all" if everything else "owed"}
    wanted |= {"since": _moment_of(since)} if since is not None else {}
    wanted |= {"workspaceId": workspace} if workspace is not None else {}
    found = find_site(session.relay, site)
    document = session.relay.document("POST", _path(found["id"]), document=wanted)
    started = document["replays"]
    if no_wait and session.screen.json:
        session.screen.document(document)
    elif not started:
        session.screen.note("No workspace is linked to the site, so there is nothing to replay.")
    elif no_wait:
        session.screen.say(f"{counted(len(started), 'replay')} started.")
        session.screen.note(f"`relay replays {found['id']} --follow` shows the progress.")
    if no_wait or not started:
        return 0
    # The answer does not name all of a large number of replays.
    named = None if document.get("next") else {one["workspaceId"] for one in started}
    return _follow(session, found["id"], named)


def replays(session: Session, site: SiteArgument, follow: FollowOption = False) -> int:
    """Show the progress of a site's replays: the latest of each linked workspace."""
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
    report: Report,
    sleep: Callable[[float], None],
) -> list[Replay]:
    """Polls the replays of these workspaces, or of all, until they are done. Returns their end.

    `report` receives the replays of each poll; `sleep` is given seconds. A workspace that is
    unlinked meanwhile has none. Raises Unavailable after MISSED_MAX failed polls in a row.
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
        report(found)
        under_way = [one for one in found if one["state"] != "done"]
        if not under_way:
            return found
        all_wait = all("until" in one for one in under_way)
        sleep(WAITING_POLL_SECONDS if all_wait else POLL_SECONDS)


def _follow(session: Session, site_id: str, workspace_ids: set[str] | None) -> int:
    screen = session.screen
    try:
        with _progress(screen) as report:
            ended = follow(session.relay, site_id, workspace_ids, report, time.sleep)
    except (KeyboardInterrupt, Unavailable) as error:
        if not screen.json:
            screen.note(f"The replay continues. `relay replays {site_id} --follow` shows it again.")
        raise error if isinstance(error, Failure) else Stopped() from None
    if not screen.json:
        _say_ended(screen, ended)
    return NOT_ALL if any(one["refused"] for one in ended) else 0


@contextmanager
def _progress(screen: Screen) -> Iterator[Report]:
    """Bars on a terminal, else a line for each step; with --json a line for each change."""
    text = TextColumn("{task.description}", markup=False)
    now = TextColumn("{task.fields[now]}", markup=False)
    with screen.bars(text, BarColumn(), MofNCompleteColumn(), now) as bars:
        if bars:
            yield _Bars(bars).show
        elif screen.json:
            yield _JsonLines(screen).show
        else:
            yield _Lines(screen).show


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, replays: Sequence[Replay]) -> None:
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

    def show(self, replays: Sequence[Replay]) -> None:
        if replays != self._last:
            self._screen.line({"replays": replays})
            self._last = replays


class _Lines:
    """A line when a replay's state or reason changes, and at each tenth."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last: dict[str, tuple[Any, ...]] = {}

    def show(self, replays: Sequence[Replay]) -> None:
        for one in replays:
            total = one.get("total")
            tenth = one["done"] * 10 // total if total else None
            step = (one["state"], one.get("reason"), tenth)
            if self._last.get(one["workspaceId"]) != step:
                self._last[one["workspaceId"]] = step
                parts = filter(None, (_done(one), _now(one)))
                self._screen.note(f"{one['workspaceId']}: {'; '.join(parts)}")


def _say_ended(screen: Screen, replays: Sequence[Replay]) -> None:
    for one in replays:
        name, refused = one["workspaceId"], one["refused"]
        number = counted(one["done"], "entity", "entities")
        if again := one.get("until"):
            screen.say(
                f"Workspace {name}: {number} processed. The site fails for some and accepts "
                f"others; Relay retries those alone, first at {moment(again)}."
            )
            screen.note(f"`relay list {name} --state owed` lists them and the reasons.")
        else:
            screen.say(f"Workspace {name}: the site has answered for {number}.")
        if refused:
            screen.say(f"Jira refused {refused:,} of them.")
            screen.note(f"`relay list {name} --state rejected` lists them and the reasons.")
    if not replays:
        screen.say("There are no replays.")


def _done(replay: Replay) -> str:
    total = replay.get("total")
    return f"{replay['done']:,} of {total:,}" if total is not None else f"{replay['done']:,}"


def _what(replay: Replay) -> str:
    since = replay.get("since")
    return f"since {moment(since)}" if since else str(replay["what"])


def _now(replay: Replay) -> str:
    """The replay's pace, the reason why it waits, or when it ended."""
    state = replay["state"]
    if state == "done":
        return f"done {moment(replay.get('endedAt') or replay['updatedAt'])}"
    if replay.get("reason"):
        until = replay.get("until")
        again = f"; continues at {time_of_day(until)}" if until else ""
        return f"waits: {replay['reason']}{again}"
    if state == "running" and replay.get("total") is None:
        return "preparing"
    return _pace(replay) or str(state)


def _pace(replay: Replay) -> str:
    speed, left = replay.get("perSecond"), replay.get("remaining")
    if not speed:
        return ""
    words = f"{speed:,.0f} a second" if speed >= 1 else f"{speed * 60:,.0f} a minute"
    lasting = span(left / speed) if left else ""
    return f"{words}, about {lasting} left" if lasting else words


def _moment_of(since: str) -> str:
    """The time as RFC 3339. Raises Misuse for another form, and for a time in the future."""
    now = datetime.now(UTC)
    found = parsed_since(since, now)
    if found is None:
        raise Misuse(
            f"--since {since}: expected a span such as 2h or 3d, or a date such as 2026-01-31."
        )
    if found > now:
        raise Misuse(f"--since {since}: that is in the future.")
    return found.isoformat(timespec="seconds").replace("+00:00", "Z")


def _path(site_id: str) -> str:
    return f"/v1/sites/{segment(site_id)}/replay"
