"""`relay submit`: a file of entities to Relay, in as many bodies as it takes."""

import gzip
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from relay_cli.api import Relay, workspace_path
from relay_cli.arguments import FileArgument, WorkspaceArgument
from relay_cli.command import Session
from relay_cli.failure import NOT_ALL, Failure, Misuse, Stopped, Unavailable
from relay_cli.feed import KINDS, LISTS, Feed, State, Submission, parse_feed, split
from relay_cli.screen import Screen, detail_line
from relay_cli.words import counted

REJECTED_SHOWN = 20

_TOO_LARGE = {"rule": "max_bytes", "message": "It is larger than a whole submission may be"}
_PATH = re.compile(r"(incidents|reviews)\[(\d+)\](.*)", re.DOTALL)


@dataclass
class Submitted:
    """What became of a feed. `verdicts` are the API's, with `index` and paths by the feed.

    Where `failure` is set, the feed was not submitted to its end: `not_taken` Relay could not take,
    or gave no answer for, and `not_sent` were not tried any more.
    """

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[State, dict[str, Any]]] = field(default_factory=list)
    not_taken: list[State] = field(default_factory=list)
    not_sent: int = 0
    failure: Failure | None = None

    @property
    def accepted(self) -> int:
        return len(self.verdicts) - len(self.rejected)

    def reject(self, state: State, details: Iterable[Mapping[str, str]]) -> None:
        verdict = {
            "kind": state.kind,
            "index": state.index,
            "id": state.id or None,
            "verdict": "rejected",
            "details": list(details),
        }
        self.take(state, verdict)

    def take_all(self, submission: Submission, answer: Mapping[str, Any]) -> None:
        by_kind = {kind: submission.of_kind(kind) for kind in KINDS}
        for verdict in answer["verdicts"]:
            self.take(by_kind[verdict["kind"]][verdict["index"]], verdict)

    def end(self, failure: Failure, at: Submission, rest: Iterable[Submission]) -> None:
        self.failure = failure
        self.not_taken = _not_taken(at, failure)
        self.not_sent = sum(len(submission.states) for submission in rest)

    def take(self, state: State, verdict: dict[str, Any]) -> None:
        by_feed = verdict | {"index": state.index} | ({"line": state.line} if state.line else {})
        if verdict["verdict"] != "accepted":
            by_feed["details"] = [_by_feed(detail, state) for detail in verdict["details"]]
            self.rejected.append((state, by_feed))
        self.verdicts.append(by_feed)


def submit_feed(
    relay: Relay,
    workspace_id: str,
    feed: Feed,
    dry_run: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Submitted:
    """Submit a feed in file order; `tell` is given how many states were answered for so far.

    Submitting the same again is safe: Relay keeps the newest state of each entity.
    """
    submitted = Submitted()
    for state in feed.states:
        if not state.fits:
            submitted.reject(state, [_TOO_LARGE | {"path": state.path}])
    fitting = (state for state in feed.states if state.fits)
    waiting = deque(split(fitting, feed.properties, feed.metadata))
    while waiting:
        submission = waiting.popleft()
        try:
            submitted.take_all(submission, _post(relay, workspace_id, submission, dry_run))
        except (Failure, KeyboardInterrupt) as error:
            # Whoever stops it wants to know what was taken, too.
            failure = error if isinstance(error, Failure) else Stopped()
            if failure.status != httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                submitted.end(failure, submission, waiting)
                break
            # It has less than 4 MiB, so more is wrong with it than one answer can tell.
            if len(submission.states) > 1:
                waiting.extendleft(reversed(submission.halves()))
            else:
                submitted.reject(submission.states[0], failure.details)
        tell(len(submitted.verdicts))
    return submitted


def _post(relay: Relay, workspace_id: str, submission: Submission, dry_run: bool) -> dict[str, Any]:
    return relay.document(
        "POST",
        workspace_path(workspace_id, "submissions"),
        query={"dryRun": "true"} if dry_run else None,
        body=gzip.compress(submission.body(), compresslevel=6),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        repeatable=True,
    )


def _not_taken(submission: Submission, failure: Failure) -> list[State]:
    """Those that Relay names, or all of the body where it names none."""
    if failure.code != "not_queued":
        return list(submission.states)
    named = []
    for detail in failure.details:
        match = _PATH.fullmatch(detail.get("path", ""))
        if match:
            named.append(submission.of_kind(LISTS[match[1]])[int(match[2])])
    return named


def _by_feed(detail: Mapping[str, str], state: State) -> dict[str, str]:
    """A detail of a body, by the place that the entity has in the feed."""
    match = _PATH.fullmatch(detail["path"])
    return dict(detail) | ({"path": state.path + match[3]} if match else {})


def submit(
    session: Session,
    workspace: WorkspaceArgument,
    file: FileArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only have it judged; nothing is submitted.")
    ] = False,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            metavar="NAME=VALUE",
            help="A property of all entities; as often as needed, at most 4.",
        ),
    ] = None,
) -> int:
    """Submit incidents and reviews from a file.

    The file is a submission, {"incidents": […], "reviews": […], "properties": {…}}, or has a line
    for each entity: {"incident": {…}} or {"review": {…}}. It may be as large as you like: it is
    split, and sent in its order.

    Exit code: 0 all accepted, 1 some rejected, 3 Relay could not take all of it, 4 the key is not
    for this workspace. Submitting the same file again is safe.
    """
    feed = _read(file)
    feed = replace(feed, properties={**feed.properties, **parse_properties(properties or [])})
    with _progress(session.screen, len(feed.states)) as tell:
        submitted = submit_feed(session.relay, workspace, feed, dry_run, tell)
    if session.screen.json:
        session.screen.document(_document(session, submitted, dry_run))
    else:
        _say(session.screen, submitted, dry_run)
    if submitted.failure:
        raise submitted.failure
    return NOT_ALL if submitted.rejected else 0


def parse_properties(pairs: Sequence[str]) -> dict[str, str]:
    """Of NAME=VALUE; raises Misuse."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise Misuse(f"--property {pair}: expected NAME=VALUE.")
        found[name] = value
    return found


def _read(file: str) -> Feed:
    if file == "-":
        return parse_feed(sys.stdin.buffer.read(), "stdin")
    try:
        return parse_feed(Path(file).read_bytes(), file)
    except OSError as error:
        raise Misuse(f"{file} can't be read: {error.strerror}.") from None


@contextmanager
def _progress(screen: Screen, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with screen.bars(*columns) as bars:
        if bars is None:
            yield lambda _: None
            return
        task = bars.add_task("Submitting", total=total)
        yield lambda done: bars.update(task, completed=done)


def _document(session: Session, submitted: Submitted, dry_run: bool) -> dict[str, Any]:
    """The API's own answer, over all bodies; and what is missing in it, if anything is."""
    document: dict[str, Any] = {
        "submissionId": session.correlation_id,
        "accepted": submitted.accepted,
        "rejected": len(submitted.rejected),
        "verdicts": submitted.verdicts,
    }
    if dry_run:
        document["dryRun"] = True
    if submitted.failure:
        document["notTaken"] = [
            {"kind": state.kind, "index": state.index, "id": state.id or None}
            for state in submitted.not_taken
        ]
        document["notSent"] = submitted.not_sent
    return document


def _say(screen: Screen, submitted: Submitted, dry_run: bool) -> None:
    accepted, rejected = submitted.accepted, len(submitted.rejected)
    if dry_run:
        screen.say(f"{accepted:,} would be accepted, {rejected:,} rejected. Nothing was submitted.")
    else:
        screen.say(f"{accepted:,} accepted, {rejected:,} rejected.")
    for state, verdict in submitted.rejected[:REJECTED_SHOWN]:
        screen.say(f"Rejected: {_name(state)}")
        screen.say(*map(detail_line, verdict["details"]))
    _say_more(screen, rejected)
    if submitted.failure and not dry_run:
        _say_missing(screen, submitted.failure, submitted)


def _say_missing(screen: Screen, failure: Failure, submitted: Submitted) -> None:
    not_taken = submitted.not_taken
    if failure.code == "not_queued":
        screen.say(f"{counted(len(not_taken), 'entity', 'entities')} could not be taken:")
        screen.say(*(f"  {_name(state)}" for state in not_taken[:REJECTED_SHOWN]))
        _say_more(screen, len(not_taken))
    elif isinstance(failure, Unavailable | Stopped):
        screen.say(f"{len(not_taken):,} were sent without an answer that says they were taken.")
    else:
        screen.say(f"{len(not_taken):,} were refused all together.")
    if submitted.not_sent:
        screen.say(f"{submitted.not_sent:,} were not sent.")
    if isinstance(failure, Unavailable | Stopped):
        screen.say("Submit the same file again: what was taken is not delivered twice.")


def _say_more(screen: Screen, number: int) -> None:
    if number > REJECTED_SHOWN:
        screen.say(f"… and {number - REJECTED_SHOWN:,} more; --json has them all.")


def _name(state: State) -> str:
    return f"{state.place}, {state.kind} {state.id}" if state.id else f"{state.place}, no id"
