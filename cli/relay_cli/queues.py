"""Relay's queues, and the checks of `relay doctor` for waiting messages and dead letters."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from relay_cli.aws import Aws, Stack
from relay_cli.finding import Finding, fail, ok, warn
from relay_cli.words import counted

# Seconds; the same as in the template's alarm.
OLDEST_MAX = 900


class QueueName(StrEnum):
    """A queue's name in options and output."""

    SUBMISSIONS = "submissions"
    REPLAYS = "replays"
    NOTICES = "notices"


@dataclass(frozen=True)
class Queue:
    """A queue. `source` and `dead_letters` name the stack's outputs with the queues' URLs."""

    name: QueueName
    source: str
    dead_letters: str


QUEUES = (
    Queue(QueueName.SUBMISSIONS, "SubmissionsQueue", "SubmissionsDeadLetters"),
    Queue(QueueName.REPLAYS, "ReplaysQueue", "ReplaysDeadLetters"),
    Queue(QueueName.NOTICES, "NoticesQueue", "NoticesDeadLetters"),
)


def queue_findings(aws: Aws, stack: Stack) -> Iterator[Finding]:
    """Findings for the queues in the stack's outputs. Raises botocore's errors."""
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
    message = f"{counted(waiting, 'message')} waiting, {in_work:,} in flight"
    if oldest is None:
        return ok(check, f"{message}.")
    message += f"; the oldest is {oldest:,.0f} s old."
    if oldest < OLDEST_MAX:
        return ok(check, message)
    return warn(
        check,
        message,
        "Nothing is lost. See the log of the queue's function. The parameter SubmitterConcurrency "
        "adds submitters and replayers.",
    )


def _dead_letters(aws: Aws, check: str, url: str) -> Finding:
    waiting, in_work = aws.depth(url)
    if not waiting + in_work:
        return ok(check, "Empty.")
    return fail(
        check,
        f"{counted(waiting + in_work, 'message')} could not be processed.",
        "They are stored for 14 days. `relay dlq list` shows why each failed; once that is fixed, "
        "`relay dlq redrive` sends them to their queues again.",
    )


def _age(aws: Aws, url: str) -> float | None:
    """None also without access to CloudWatch: the rest of the finding does not depend on it."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return aws.oldest(url)
    except (BotoCoreError, ClientError):
        return None
