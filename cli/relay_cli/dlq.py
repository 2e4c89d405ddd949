"""`relay dlq`: messages that could not be processed, the reasons, and their redrive."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer

from relay_cli.arguments import AllOption, LimitOption
from relay_cli.aws import Aws, access_to, aws_failures
from relay_cli.command import Session, command
from relay_cli.failure import Failure, Misuse, Stopped
from relay_cli.letters import NO_REASON, DeadLetters, Entity, Letter
from relay_cli.queues import QUEUES, QueueName
from relay_cli.screen import Cell, Screen, styled
from relay_cli.words import counted, moment, moment_and_age

LETTERS_SHOWN = 100
# Characters of a body that can't be parsed, without --full.
BODY_SHOWN = 200

QueueOption = Annotated[
    QueueName | None,
    typer.Option("--queue", help="Only the dead letters of this queue.", show_default=False),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        help="Relay's CloudFormation stack, read with your AWS credentials. The default is the "
        "configuration file's.",
        show_default=False,
    ),
]

app = typer.Typer(
    help="Dead letters, messages that could not be processed: list, show, redrive. Uses your AWS "
    "credentials.",
    no_args_is_help=True,
)


@dataclass(frozen=True)
class OpenQueue:
    """One queue's dead letters. `about` is SQS's estimate of their number."""

    name: QueueName
    dead: DeadLetters
    about: int


@dataclass
class Redriven:
    """The result of a redrive: queue and id of each letter. `late` counts the letters that arrived
    after it started, which are not sent."""

    letters: list[tuple[QueueName, str]] = field(default_factory=list)
    late: int = 0


@command(app, "list")
def list_letters(
    session: Session,
    queue: QueueOption = None,
    limit: LimitOption = LETTERS_SHOWN,
    everything: AllOption = False,
    stack: StackOption = None,
) -> None:
    """List the dead letters and the reason for each.

    They are hidden from other readers until the list is complete. SQS returns them in no order.
    """
    with _open_queues(session, stack, queue) as queues:
        about = sum(one.about for one in queues)
        with session.screen.waiting("Reading …"):
            # Documents, not letters: a letter's body may have 1 MiB.
            found = [
                _document(name, letter)
                for name, letter in islice(_letters(queues), None if everything else limit)
            ]
    if session.screen.json:
        session.screen.document({"letters": found, "about": max(about, len(found))})
        return
    session.screen.table(
        ("QUEUE", "ID", "SENT", "RECEIVED", "WORKSPACE", "HOLDS", "WHY"), map(_row, found)
    )
    if len(found) < about:
        shortened = len(found) == limit
        more = "Use --limit or --all" if shortened else "Another reader may hold the rest"
        session.screen.note(f"These are {len(found):,} of about {about:,}. {more}.")
    if found:
        session.screen.note("`relay dlq redrive` sends them to their queues again.")


@command(app, "show")
def show_letter(
    session: Session,
    letter_id: Annotated[str, typer.Argument(help="Its id, from `relay dlq list`.", metavar="ID")],
    full: Annotated[
        bool, typer.Option("--full", help="Also the content, including the entities' texts.")
    ] = False,
    queue: QueueOption = None,
    stack: StackOption = None,
) -> None:
    """Show a dead letter and the entities in it."""
    with (
        _open_queues(session, stack, queue) as queues,
        session.screen.waiting("Searching …"),
    ):
        found = next((one for one in _letters(queues) if one[1].id == letter_id), None)
    if found is None:
        raise _unknown([letter_id])
    name, letter = found
    if session.screen.json:
        session.screen.document(_document(name, letter) | _details(letter, full))
    else:
        _show(session.screen, name, letter, full)


@command(app, "redrive")
def redrive(
    session: Session,
    letter_ids: Annotated[
        list[str] | None,
        typer.Argument(
            help="Their ids, from `relay dlq list`.", metavar="[ID…]", show_default=False
        ),
    ] = None,
    everything: AllOption = False,
    queue: QueueOption = None,
    stack: StackOption = None,
) -> int:
    """Send dead letters back to their queues to be processed again.

    Each is sent before it is deleted, so none is lost. A letter that is sent twice changes nothing:
    Relay skips states that it has. Fix the cause first, or the letters return.
    """
    if bool(letter_ids) == everything:
        raise Misuse("Pass the ids of dead letters, or --all.")
    wanted = set(letter_ids or ())
    redriven, failure = Redriven(), None
    try:
        with (
            _open_queues(session, stack, queue) as queues,
            session.screen.waiting("Sending …"),
        ):
            _redrive(queues, wanted, redriven)
    except (Failure, KeyboardInterrupt) as error:
        # The letters sent so far are reported before the failure.
        failure = error if isinstance(error, Failure) else Stopped()
    missing = sorted(wanted - {letter_id for _, letter_id in redriven.letters})
    if redriven.letters or not (failure or missing):
        _say_redriven(session.screen, redriven)
    if failure or missing:
        raise failure or _unknown(missing)
    return 0


def _redrive(queues: Sequence[OpenQueue], wanted: set[str], redriven: Redriven) -> None:
    """Sends the letters with these ids, or without ids all that were sent before the start: a
    letter that returns meanwhile would be sent over and over."""
    started = datetime.now(UTC)
    for queue in queues:
        for letter in queue.dead.letters():
            if letter.id in wanted or (not wanted and letter.sent_at <= started):
                queue.dead.redrive(letter)
                redriven.letters.append((queue.name, letter.id))
            else:
                redriven.late += not wanted
            if wanted and len(redriven.letters) == len(wanted):
                return


@contextmanager
def _open_queues(
    session: Session, stack_name: str | None, only: QueueName | None
) -> Iterator[list[OpenQueue]]:
    """The stack's queues of dead letters. Raises Misuse if the stack is unknown or has none."""
    access = access_to(session.config, stack_name)
    if access is None:
        raise Misuse(
            "No stack is configured. Pass Relay's stack as --stack, or write "
            'stack = "…" under [aws] into ~/.config/relay/config.toml.',
            "config",
        )
    with aws_failures(), ExitStack() as opened:
        aws = Aws(access)
        outputs = aws.stack().outputs
        queues = [
            OpenQueue(
                queue.name,
                opened.enter_context(
                    DeadLetters(aws.sqs, outputs[queue.dead_letters], outputs[queue.source])
                ),
                sum(aws.depth(outputs[queue.dead_letters])),
            )
            for queue in QUEUES
            if only in (None, queue.name) and {queue.source, queue.dead_letters} <= outputs.keys()
        ]
        if not queues:
            raise Misuse("The stack has no such queue. Is it Relay's stack?", "config")
        yield queues


def _letters(queues: Sequence[OpenQueue]) -> Iterator[tuple[QueueName, Letter]]:
    return ((queue.name, letter) for queue in queues for letter in queue.dead.letters())


def _unknown(letter_ids: Sequence[str]) -> Failure:
    return Failure(
        f"There is no dead letter {', '.join(letter_ids)}, or another reader holds it: then it "
        "is visible again within a minute.",
        "unknown_letter",
    )


def _document(queue: QueueName, letter: Letter) -> dict[str, Any]:
    known = {
        "workspaceId": letter.workspace_id,
        "correlationId": letter.correlation_id,
        "siteId": letter.site_id,
        "event": letter.event,
    }
    return {
        "id": letter.id,
        "queue": queue.value,
        "sentAt": letter.sent_at.isoformat(),
        "received": letter.received,
        "reason": letter.reason,
        "readable": letter.content is not None,
        "holds": _holds(letter),
    } | {name: value for name, value in known.items() if value}


def _holds(letter: Letter) -> dict[str, int]:
    found = Counter("deletion" if one.deleted else one.kind for one in letter.entities)
    found["container"] = len(letter.containers)
    return {what: number for what, number in found.items() if number}


def _details(letter: Letter, full: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "entities": [entity.document() for entity in letter.entities],
        "containers": letter.containers,
    }
    if letter.accepted_at:
        document["acceptedAt"] = letter.accepted_at.isoformat()
    if letter.content is None:
        document["body"] = letter.body if full else _shortened(letter.body)
    elif full:
        document["content"] = letter.content
    return document


def _row(document: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        document["queue"],
        document["id"],
        moment(document["sentAt"]),
        counted(document["received"], "time"),
        document.get("workspaceId", ""),
        _what(document),
        document["reason"] or NO_REASON,
    )


def _what(document: dict[str, Any]) -> Cell:
    if not document["readable"]:
        return styled("unreadable", "red")
    held = [counted(number, what) for what, number in document["holds"].items()]
    return ", ".join(held) or document.get("event") or ("a replay" if "siteId" in document else "")


def _show(screen: Screen, queue: QueueName, letter: Letter, full: bool) -> None:
    document = _document(queue, letter)
    accepted = letter.accepted_at
    screen.fields(
        [
            ("id", letter.id),
            ("queue", queue.value),
            ("why", letter.reason or NO_REASON),
            ("sent", moment_and_age(document["sentAt"])),
            ("received", counted(letter.received, "time")),
            ("workspace", letter.workspace_id or ""),
            ("site", letter.site_id or ""),
            ("submission", letter.correlation_id or ""),
            ("accepted", moment_and_age(accepted.isoformat()) if accepted else ""),
            ("holds", _what(document)),
            ("containers", ", ".join(letter.containers)),
        ]
    )
    if letter.entities:
        screen.say("")
        screen.table(
            ("KIND", "ID", "SEQUENCE"),
            (
                (one.kind, one.id, "deleted" if one.deleted else _sequence(one))
                for one in letter.entities
            ),
        )
    if letter.content is None:
        screen.say("", letter.body if full else _shortened(letter.body))
    elif full:
        text = json.dumps(letter.content, indent=2, ensure_ascii=False)
        screen.say("", *text.split("\n"))


def _sequence(entity: Entity) -> str:
    return "" if entity.sequence is None else str(entity.sequence)


def _shortened(body: str) -> str:
    if len(body) <= BODY_SHOWN:
        return body
    return f"{body[:BODY_SHOWN]}… ({len(body):,} characters; --full shows all)"


def _say_redriven(screen: Screen, redriven: Redriven) -> None:
    if screen.json:
        found = [{"queue": queue.value, "id": letter_id} for queue, letter_id in redriven.letters]
        screen.document({"redriven": found})
        return
    numbers = Counter(queue for queue, _ in redriven.letters)
    for queue, number in numbers.items():
        screen.say(f"{counted(number, 'dead letter')} sent to {queue} again.")
    if not numbers:
        screen.say("There is no dead letter.")
    if redriven.late:
        screen.say(f"{redriven.late:,} arrived meanwhile and were not sent.")
