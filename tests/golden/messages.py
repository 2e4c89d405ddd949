"""How a dump shows messages, and the kinds of them that `relay.queues` can send.

The kinds follow from the types there: a new optional part of a submission, task or event is a kind
that the dump lacks until `tests.golden.queued` leaves one.
"""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args

from relay.entities.model import Kind
from relay.queues.formats import NewerFormat
from relay.queues.notices import Event, parse_notice
from relay.queues.replays import Task, parse_task
from relay.queues.submissions import Message, parse_message

SUBMISSIONS, DEAD_LETTERS = "SUBMISSIONS_QUEUE", "SUBMISSIONS_DEAD_LETTERS"
REPLAYS, NOTICES = "REPLAYS_QUEUE", "NOTICES_QUEUE"
QUEUES = (SUBMISSIONS, DEAD_LETTERS, REPLAYS, NOTICES)
_COMPRESSED = (SUBMISSIONS, DEAD_LETTERS)
_PARSERS: dict[str, Callable[[str], object]] = {
    SUBMISSIONS: parse_message,
    REPLAYS: parse_task,
    NOTICES: parse_notice,
}
# Relay sends it at once.
_NOT_QUEUED = "webhook.test"
# Each message has these, and `size` is not part of it.
_ALWAYS = {"workspace_id", "correlation_id", "accepted_at", "size"}
_PARTS = {field.name for field in fields(Message)} - _ALWAYS
_MORE_PARTS = {*Kind, "properties", "product", "accepted elsewhere"}


def content_of(queue: str, body: str) -> Any:
    """The document in the body of a message, without compression."""
    text = zlib.decompress(base64.b64decode(body)) if queue in _COMPRESSED else body
    return json.loads(text)


def body_of(queue: str, content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    if queue not in _COMPRESSED:
        return text
    return base64.b64encode(zlib.compress(text.encode())).decode()


def message_kinds() -> set[str]:
    """All that a queue's message can be or have."""
    return {
        *(f"submission: {part}" for part in _PARTS | _MORE_PARTS),
        *(f"task: {task.__name__}" for task in get_args(Task)),
        *(f"notice: {event}" for event in get_args(Event) if event != _NOT_QUEUED),
    }


def kinds_of(queue: str, body: str) -> set[str]:
    """What the message is and has."""
    if queue == REPLAYS:
        return {f"task: {type(parse_task(body)).__name__}"}
    if queue == NOTICES:
        return {f"notice: {parse_notice(body).event}"}
    message = parse_message(body)
    parts = {part for part in _PARTS if getattr(message, part)}
    for state in message.states:
        parts |= {state.kind, *(part for part in ("properties", "product") if getattr(state, part))}
        if state.accepted_at != message.accepted_at:
            parts.add("accepted elsewhere")
    return {f"submission: {part}" for part in parts}


def newest_formats() -> dict[str, int]:
    """The newest format of each queue's messages that this version reads."""
    return {queue: _newest_format(queue) for queue in _PARSERS}


def _newest_format(queue: str) -> int:
    number = 1
    while _is_read(queue, number + 1):
        number += 1
    return number


def _is_read(queue: str, number: int) -> bool:
    try:
        _PARSERS[queue](body_of(queue, {"format": number}))
    except NewerFormat:
        return False
    except ValueError:
        return True
    return True
