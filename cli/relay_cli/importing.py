"""`relay import`: reads a file of `relay export` into this deployment."""

import json
import shlex
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import httpx
import typer

from relay_cli.api import PATIENT_ATTEMPTS, Relay, workspace_path
from relay_cli.command import Session
from relay_cli.container_calls import CONTAINERS_PER_CALL, put_all
from relay_cli.export import counts_text
from relay_cli.export_file import ExportReader, Line
from relay_cli.failure import NOT_ALL, Failure, Misuse, Stopped
from relay_cli.feed import BadInput, Feed, State, compact
from relay_cli.screen import Screen, detail_line
from relay_cli.source_secrets import secret_for
from relay_cli.source_setup import kind_named, put_source
from relay_cli.submit import REJECTED_SHOWN, submit_feed

# Relay's limit for a call.
DELETIONS_PER_CALL = 100
# States are collected before they are submitted: only those with the same properties share a call.
_COLLECTED_BYTES_MAX = 8 * 1024 * 1024


@dataclass
class Imported:
    """What was imported so far: the number of each kind of line, the number of rejected entities
    and the first REJECTED_SHOWN verdicts on them, and what is left to do by hand."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    webhook: str | None = None

    def note(self, verdicts: Iterable[dict[str, Any]]) -> None:
        """Counts the verdicts of a submission."""
        for verdict in verdicts:
            if verdict["verdict"] == "accepted":
                self.counts[verdict["kind"]] += 1
                continue
            self.rejected += 1
            if self.rejected <= REJECTED_SHOWN:
                self.verdicts.append(verdict)


class Importer:
    """Imports the lines of an export. Repeating is safe: Relay keeps the newest state of each
    entity. A source that exists already is not changed; `on_source` is called with each new one.
    """

    def __init__(
        self, relay: Relay, workspace_id: str, on_source: Callable[[dict[str, Any]], None]
    ) -> None:
        self.imported = Imported()
        self.workspace_id = workspace_id
        self._relay = relay
        self._on_source = on_source
        self._last = 0
        self._containers: list[Line] = []
        # By what the states of a submission have in common, as JSON.
        self._states: dict[bytes, list[State]] = {}
        self._size = 0
        self._deletions: list[Line] = []

    @property
    def first_pending_line(self) -> int:
        """The number of the first line that may not be imported yet."""
        waiting = [line.number for line in (*self._containers, *self._deletions)]
        waiting += [state.line for states in self._states.values() for state in states]
        return min(waiting, default=self._last + 1)

    def put_workspace(self, workspace: dict[str, Any]) -> None:
        """Creates the workspace, unless it exists."""
        path = workspace_path(self.workspace_id)
        try:
            self._relay.document("GET", path)
        except Failure as failure:
            if failure.status != httpx.codes.NOT_FOUND:
                raise
            known = {name: value for name, value in workspace.items() if name != "id"}
            self._relay.document("PUT", path, document=known)

    def add(self, line: Line) -> None:
        """Imports the line, at once or together with others. Raises Failure."""
        if line.kind == "source":
            self.finish()
            self._make_source(line.value)
        self._last = line.number
        if line.kind == "container":
            self._containers.append(line)
            if len(self._containers) == CONTAINERS_PER_CALL:
                self._put_containers()
        elif line.kind == "deletion":
            self._deletions.append(line)
            if len(self._deletions) == DELETIONS_PER_CALL:
                self._add_deletions()
        elif line.kind == "webhook":
            self.imported.webhook = line.value["url"]
        elif line.kind != "source":
            self._collect(line)

    def finish(self) -> None:
        """Imports what is collected. Raises Failure."""
        self._put_containers()
        self._submit()
        self._add_deletions()

    def _collect(self, line: Line) -> None:
        common = dict(line.document)
        text, accepted_at = compact(common.pop(line.kind)), common.pop("acceptedAt", None)
        state = State(line.number, line.kind, line.number, text, accepted_at)
        self._states.setdefault(compact(common), []).append(state)
        self._size += state.size
        if self._size > _COLLECTED_BYTES_MAX:
            self._submit()

    def _submit(self) -> None:
        while self._states:
            text, states = next(iter(self._states.items()))
            common = json.loads(text)
            feed = Feed(states, common.get("properties", {}), common.get("providerMetadata", {}))
            submitted = submit_feed(self._relay, self.workspace_id, feed)
            self.imported.note(submitted.verdicts)
            if submitted.failure:
                raise submitted.failure
            del self._states[text]
        self._size = 0

    def _put_containers(self) -> None:
        if self._containers:
            containers = [line.value for line in self._containers]
            self.imported.counts["container"] += put_all(self._relay, self.workspace_id, containers)
            self._containers = []

    def _add_deletions(self) -> None:
        if self._deletions:
            self._relay.document(
                "POST",
                workspace_path(self.workspace_id, "deletions"),
                document={"deletions": [line.value for line in self._deletions]},
                repeatable=True,
            )
            self.imported.counts["deletion"] += len(self._deletions)
            self._deletions = []

    def _make_source(self, source: dict[str, Any]) -> None:
        known = self._relay.every(workspace_path(self.workspace_id, "sources"), "sources")
        if source["id"] in {one["id"] for one in known}:
            return
        # The secrets are not in the file; until the tool's is given, its calls are refused.
        tool = kind_named(self._relay, source["kind"])
        secret = secret_for(tool, None, source["hasSecret"])
        document = {"kind": source["kind"], "settings": source["settings"]}
        made = put_source(self._relay, self.workspace_id, source["id"], document, secret)
        self.imported.counts["source"] += 1
        found = {"id": made["id"], "kind": made["kind"], "url": made["url"]}
        self.imported.sources.append(found | {"lacksSecret": secret is not None})
        self._on_source(self.imported.sources[-1])


def import_workspace(
    session: Session,
    file: Annotated[
        str,
        typer.Argument(help="A file of `relay export`, or - for standard input.", metavar="FILE|-"),
    ],
    workspace: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Import into this workspace instead of the file's.",
            show_default=False,
        ),
    ] = None,
    from_line: Annotated[
        int, typer.Option(metavar="N", min=1, help="Continue at this line, after a failure.")
    ] = 1,
) -> int:
    """Import a workspace that `relay export` wrote, from another deployment or for a copy.

    Importing a file again changes nothing, and a state that is newer here stays. A file is checked
    as a whole first; standard input or a pipe is imported as it arrives. The workspace is created
    if it does not exist. Sources get new URLs, each printed at once, and their secrets are yours to
    give: the command lists them.

    Exit code: 0 all imported, 1 some rejected, 2 it is not a complete export, 3 Relay is
    unreachable or unavailable, 4 the key has no access to the workspace. After a failure, import
    the file again, from the line that the command names.
    """
    relay, screen = session.relay, session.screen
    relay.attempts = PATIENT_ATTEMPTS
    with _opened(file) as stream:
        reader = ExportReader(stream, "stdin" if file == "-" else file)
        found = reader.workspace()
        workspace_id = workspace or found["id"]
        importer = Importer(relay, workspace_id, partial(_say_source, screen, workspace_id))
        screen.note(f"Importing into workspace {workspace_id} …")
        try:
            importer.put_workspace(found)
            _import(reader, importer, from_line)
        except BaseException as error:
            # Relay shows a new source's URL only once, so report it whatever ends the import.
            _say(screen, importer, is_part=True)
            if isinstance(error, KeyboardInterrupt):
                raise Stopped from None
            raise
    _say(screen, importer)
    return NOT_ALL if importer.imported.rejected else 0


def _import(reader: ExportReader, importer: Importer, from_line: int) -> None:
    try:
        for line in reader.lines():
            if line.number >= from_line:
                importer.add(line)
    except BadInput:
        # A stream was cut off.
        importer.finish()
        raise
    importer.finish()


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """The export from its start. A file is read as a whole first, so that nothing of an incomplete
    one is imported; a stream, such as a pipe with a name, can be read once only."""
    if file == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise Misuse(f"{file} can't be read: {error.strerror}.") from None
        if Path(file).is_file():
            reader = ExportReader(stream, file)
            reader.workspace()
            deque(reader.lines(), maxlen=0)
            stream.seek(0)
        yield stream


def _say_source(screen: Screen, workspace_id: str, source: dict[str, Any]) -> None:
    if screen.json:
        return
    screen.verbatim(
        f"To do: enter the new URL of source {source['id']} in the tool: {source['url']}"
    )
    if source["lacksSecret"]:
        command = shlex.join(["relay", "sources", "secret", workspace_id, source["id"]])
        screen.verbatim(f"To do: give Relay the secret with which the tool signs: {command}")


def _say(screen: Screen, importer: Importer, is_part: bool = False) -> None:
    """What was imported, or before a failure a part of it."""
    imported, workspace_id = importer.imported, importer.workspace_id
    if screen.json:
        screen.document(
            {
                "workspaceId": workspace_id,
                "imported": dict(imported.counts),
                "rejected": imported.rejected,
                "verdicts": imported.verdicts,
                "sources": imported.sources,
                "webhook": imported.webhook,
            }
            | ({"fromLine": importer.first_pending_line} if is_part else {})
        )
        return
    screen.say(f"Imported into workspace {workspace_id}: {counts_text(imported.counts)}.")
    if imported.rejected:
        screen.say(f"{imported.rejected:,} rejected, the first of them:")
    for verdict in imported.verdicts:
        name = verdict["id"] or "no id"
        screen.say(f"Rejected: line {verdict['line']}, {verdict['kind']} {name}")
        screen.say(*map(detail_line, verdict["details"]))
    if imported.webhook:
        parts = ["relay", "workspaces", "webhook", "put", workspace_id, imported.webhook]
        screen.verbatim(
            f"To do: set the webhook, its secret in RELAY_WEBHOOK_SECRET: {shlex.join(parts)}"
        )
    if is_part:
        screen.say(f"Not all is imported. Continue with --from-line {importer.first_pending_line}.")
    else:
        link = shlex.join(["relay", "link", "SITE", workspace_id])
        screen.verbatim(f"To do: link the workspace to its sites: {link}")
