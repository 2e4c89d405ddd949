"""`relay submit`: submits a file of entities, in several requests if needed."""

import gzip
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from relay_cli.api import Relay, workspace_path
from relay_cli.arguments import FileArgument, WorkspaceArgument
from relay_cli.command import Session
from relay_cli.failure import NOT_ALL, Failure, Misuse, Stopped, Unavailable
from relay_cli.feed import KINDS, LISTS, Feed, State, Submission, parse_feed, split
from relay_cli.files import read_bytes
from relay_cli.screen import Screen, detail_line
from relay_cli.words import counted

REJECTED_SHOWN = 20

_TOO_LARGE = {"rule": "max_bytes", "message": "It is larger than the limit of a submission"}
_PATH = re.compile(r"(incidents|reviews)\[(\d+)\](.*)", re.DOTALL)


@dataclass
class Submitted:
    """The result of submitting a feed. `verdicts` are the API's, with the feed's indexes and paths.

    With a `failure`, not all was submitted: Relay did not accept the states in `not_accepted`, or
    did not answer for them, and `not_sent` more were not tried.
    """

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[State, dict[str, Any]]] = field(default_factory=list)
    not_accepted: list[State] = field(default_factory=list)
    not_sent: int = 0
    failure: Failure | None = None
    submission_ids: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """The number of accepted states."""
        return len(self.verdicts) - len(self.rejected)

    def reject(self, state: State, details: Iterable[Mapping[str, str]]) -> None:
        """Adds a rejection in the API's shape, for a state that Relay can't judge by itself."""
        verdict = {
            "kind": state.kind,
            "index": state.index,
            "id": state.id or None,
            "verdict": "rejected",
            "details": list(details),
        }
        self.add(state, verdict)

    def add_all(self, submission: Submission, answer: Mapping[str, Any]) -> None:
        """Adds the id and the verdicts of Relay's answer to one submission."""
        self.submission_ids.append(answer["submissionId"])
        by_kind = {kind: submission.of_kind(kind) for kind in KINDS}
        for verdict in answer["verdicts"]:
            self.add(by_kind[verdict["kind"]][verdict["index"]], verdict)

    def end(self, failure: Failure, at: Submission, rest: Iterable[Submission]) -> None:
        """Notes a failure of the submission `at`. The submissions in `rest` were not sent."""
        self.failure = failure
        self.not_accepted = _not_accepted(at, failure)
        self.not_sent = sum(len(submission.states) for submission in rest)

    def add(self, state: State, verdict: dict[str, Any]) -> None:
        """Adds one verdict, with the feed's index, line and paths."""
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
    report: Callable[[int], None] = lambda _: None,
) -> Submitted:
    """Submits a feed in file order. `report` receives the number of states answered for so far.

    Submitting the same feed again is safe: Relay keeps the newest state of each entity. A failure
    of Relay is in the result, not raised.
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
            submitted.add_all(submission, _post(relay, workspace_id, submission, dry_run))
        except (Failure, KeyboardInterrupt) as error:
            # The states accepted so far are reported before the failure.
            failure = error if isinstance(error, Failure) else Stopped()
            if failure.status != httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                submitted.end(failure, submission, waiting)
                break
            # Its body is small enough, so it has more errors than one answer can hold.
            if len(submission.states) > 1:
                waiting.extendleft(reversed(submission.halves()))
            else:
                submitted.reject(submission.states[0], failure.details)
        report(len(submitted.verdicts))
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


def _not_accepted(submission: Submission, failure: Failure) -> list[State]:
    """The states that Relay names, or all of the body if it names none."""
    if failure.code != "not_queued":
        return list(submission.states)
    named = []
    for detail in failure.details:
        match = _PATH.fullmatch(detail.get("path", ""))
        if match:
            named.append(submission.of_kind(LISTS[match[1]])[int(match[2])])
    return named


def _by_feed(detail: Mapping[str, str], state: State) -> dict[str, str]:
    """A detail with its path in the feed, not in the body."""
    match = _PATH.fullmatch(detail["path"])
    return dict(detail) | ({"path": state.path + match[3]} if match else {})


def submit(
    session: Session,
    workspace: WorkspaceArgument,
    file: FileArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Validate the file without submitting it.")
    ] = False,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            metavar="NAME=VALUE",
            help="A property of all entities; repeatable, at most 4.",
        ),
    ] = None,
) -> int:
    """Submit incidents and reviews from a file.

    The file is a submission, {"incidents": […], "reviews": […], "properties": {…}}, or has a line
    for each entity: {"incident": {…}} or {"review": {…}}. It may have any size: it is split and
    sent in order.

    Exit code: 0 all accepted, 1 some rejected, 3 Relay is unreachable or unavailable, 4 the key has
    no access to the workspace. Submitting the same file again is safe.
    """
    feed = _read(file)
    feed = replace(feed, properties={**feed.properties, **parse_properties(properties or [])})
    with _progress(session.screen, len(feed.states)) as report:
        submitted = submit_feed(session.relay, workspace, feed, dry_run, report)
    if session.screen.json:
        session.screen.document(_document(session, submitted, dry_run))
    else:
        _say(session.screen, submitted, dry_run)
    if submitted.failure:
        raise submitted.failure
    return NOT_ALL if submitted.rejected else 0


def parse_properties(pairs: Sequence[str]) -> dict[str, str]:
    """Properties from texts like `NAME=VALUE`. Raises Misuse for any other text."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise Misuse(f"--property {pair}: expected NAME=VALUE.")
        found[name] = value
    return found


def _read(file: str) -> Feed:
    return parse_feed(read_bytes(file), "stdin" if file == "-" else file)


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
    """The API's answers as one document, with the states that were not accepted or sent."""
    document: dict[str, Any] = {
        "submissionIds": submitted.submission_ids,
        "correlationId": session.correlation_id,
        "accepted": submitted.accepted,
        "rejected": len(submitted.rejected),
        "verdicts": submitted.verdicts,
    }
    if dry_run:
        document["dryRun"] = True
    if submitted.failure:
        document["notTaken"] = [
            {"kind": state.kind, "index": state.index, "id": state.id or None}
            for state in submitted.not_accepted
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
    not_accepted = submitted.not_accepted
    if failure.code == "not_queued":
        screen.say(f"{counted(len(not_accepted), 'entity', 'entities')} could not be accepted:")
        screen.say(*(f"  {_name(state)}" for state in not_accepted[:REJECTED_SHOWN]))
        _say_more(screen, len(not_accepted))
    elif isinstance(failure, Unavailable | Stopped):
        screen.say(f"{len(not_accepted):,} were sent, but Relay did not confirm them.")
    else:
        screen.say(f"{len(not_accepted):,} were refused as a whole.")
    if submitted.not_sent:
        screen.say(f"{submitted.not_sent:,} were not sent.")
    if isinstance(failure, Unavailable | Stopped):
        screen.say("Submit the same file again: accepted states are not delivered twice.")


def _say_more(screen: Screen, number: int) -> None:
    if number > REJECTED_SHOWN:
        screen.say(f"… and {number - REJECTED_SHOWN:,} more; --json shows all.")


def _name(state: State) -> str:
    return f"{state.place}, {state.kind} {state.id}" if state.id else f"{state.place}, no id"
