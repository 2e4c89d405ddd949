"""Relay's queues, and the checks of `relay doctor` that need AWS: is anything waiting too long, or
given up?"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from relay_cli.aws import Aws, Stack
from relay_cli.finding import Finding, fail, ok, warn
from relay_cli.words import counted

# Seconds; the alarm of the template has the same.
OLDEST_MAX = 900


class QueueName(StrEnum):
    SUBMISSIONS = "submissions"
    REPLAYS = "replays"
    NOTICES = "notices"


@dataclass(frozen=True)
class Queue:
    """`source` and `dead_letters` are the stack's outputs that hold the queues' URLs."""

    name: QueueName
    source: str
    dead_letters: str


QUEUES = (
    Queue(QueueName.SUBMISSIONS, "SubmissionsQueue", "SubmissionsDeadLetters"),
    Queue(QueueName.REPLAYS, "ReplaysQueue", "ReplaysDeadLetters"),
    Queue(QueueName.NOTICES, "NoticesQueue", "NoticesDeadLetters"),
)


def queue_findings(aws: Aws, stack: Stack) -> Iterator[Finding]:
    """Raises what boto3 raises where AWS can't be asked."""
    for queue in QUEUES:
        if queue.source in stack.outputs:
            yield _queue(aws, f"queue {queue.name}", stack.outputs[queue.source])
    for queue in QUEUES:
        if queue.dead_letters in stack.outputs:
            url = stack.outputs[queue.dead_letters]
            yield _dead_letters(aws, f"dead letters {queue.name}", url)


def _queue(aws: Aws, check: str, url: str) -> Finding:
    waiting, in_work = aws.depth(url)
    oldest = _age(aws, url) if waiting or in_work else None
    message = f"{counted(waiting, 'message')} waiting, {in_work:,} in work"
    if oldest is None:
        return ok(check, f"{message}.")
    message += f"; the oldest is {oldest:,.0f} s old."
    if oldest < OLDEST_MAX:
        return ok(check, message)
    return warn(
        check,
        message,
        "Nothing is lost. Look whether each site answers (above), and into the function's log; "
        "more submitters at once are the parameter SubmitterConcurrency.",
    )


def _dead_letters(aws: Aws, check: str, url: str) -> Finding:
    waiting, in_work = aws.depth(url)
    if not waiting + in_work:
        return ok(check, "Empty.")
    return fail(
        check,
        f"{counted(waiting + in_work, 'message')} could not be processed.",
        "They are kept for 14 days. `relay dlq list` says why each failed; once that is mended, "
        "`relay dlq redrive` has them processed again.",
    )


def _age(aws: Aws, url: str) -> float | None:
    """Without CloudWatch, or the right to ask it, the rest of the finding still stands."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return aws.oldest(url)
    except (BotoCoreError, ClientError):
        return None
