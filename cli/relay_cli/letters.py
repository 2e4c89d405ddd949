"""Dead letters: their content, and how a queue of them is read, released and redriven."""

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageRequestTypeDef

# Seconds that a letter is hidden from other readers, unless it is released earlier: enough to read
# some thousands.
HIDDEN_SECONDS = 60
# Seconds that SQS waits for a message. With a wait it asks all of its servers, not a sample.
WAIT_SECONDS = 1
# Receives in a row without a new letter, after which reading ends.
STALE_MAX = 3
# Letters of each queue, which bounds memory.
HELD_MAX = 10_000
# Twice the maximum that Relay packs into one message.
CONTENT_BYTES_MAX = 8 * 1024 * 1024

NO_REASON = "The function ended without an answer; search its log for this message id."

_AT_ONCE = 10
_LISTS = {"incidents": "incident", "reviews": "review"}
_GROUP = re.compile(r"[!-~]{1,128}", re.ASCII)


@dataclass(frozen=True)
class Entity:
    """An entity in a letter. `sequence` is None for a deletion, and if the body has none."""

    kind: str
    id: str
    sequence: int | None = None
    deleted: bool = False

    def document(self) -> dict[str, Any]:
        """The entity as JSON fields, without those that are None."""
        found: dict[str, Any] = {"kind": self.kind, "id": self.id}
        if self.sequence is not None:
            found["updateSequenceNumber"] = self.sequence
        return found | ({"deleted": True} if self.deleted else {})


@dataclass(frozen=True)
class Letter:
    """One dead letter. `sent_at` is when its message was first sent, in UTC; `received` counts its
    receives. `attributes` are the message's attributes, Relay's and SQS's, by name."""

    id: str
    body: str = field(repr=False)
    sent_at: datetime
    received: int
    attributes: Mapping[str, str]

    @cached_property
    def content(self) -> dict[str, Any] | None:
        """The body's document, unvalidated; None if the body can't be parsed."""
        return content_of(self.body)

    @property
    def reason(self) -> str | None:
        """The reason in words; None if SQS moved the message, which records no reason."""
        return self.attributes.get("reason")

    @property
    def workspace_id(self) -> str | None:
        """The workspace; None if neither attributes nor body name one."""
        return (
            self.attributes.get("workspaceId")
            or self._text("workspaceId")
            # The name in notices.
            or self._text("workspace_id")
        )

    @property
    def site_id(self) -> str | None:
        """The site of a replay's message; None for any other message."""
        return self._text("tenantId")

    @property
    def group(self) -> str | None:
        """The message group: SQS's attribute, or what Relay groups such messages by."""
        return self.attributes.get("MessageGroupId") or self.site_id or self.workspace_id

    @property
    def correlation_id(self) -> str | None:
        """The submission's id in Relay's logs; None if the message has none."""
        return self.attributes.get("correlationId") or self._text("correlationId")

    @property
    def event(self) -> str | None:
        """The event of a notice; None for any other message."""
        return self._text("event")

    @property
    def accepted_at(self) -> datetime | None:
        """When Relay accepted the submission; None if the body does not have it."""
        with suppress(TypeError, ValueError, OverflowError, OSError):
            return _of_milliseconds((self.content or {}).get("acceptedAt"))
        return None

    @cached_property
    def entities(self) -> list[Entity]:
        """The submitted, deleted and sampled entities that can be read in the content."""
        submitted = [
            Entity(kind, entity["id"], _whole(entity.get("updateSequenceNumber")))
            for name, kind in _LISTS.items()
            for entity in self._list(name)
            if isinstance(entity, dict) and isinstance(entity.get("id"), str)
        ]
        deleted = [
            Entity(pair[0], pair[1], deleted=True)
            for pair in self._list("deleted")
            if _is(pair, str, str)
        ]
        sample = (self.content or {}).get("sample")
        accepted = sample.get("accepted") if isinstance(sample, dict) else None
        sampled = [
            Entity(*one)
            for one in (accepted if isinstance(accepted, list) else ())
            if _is(one, str, str, int)
        ]
        return submitted + deleted + sampled

    @cached_property
    def containers(self) -> list[str]:
        """The ids of the containers in the content."""
        return [one for one in self._list("containers") if isinstance(one, str)]

    def _text(self, name: str) -> str | None:
        value = (self.content or {}).get(name)
        return value if isinstance(value, str) else None

    def _list(self, name: str) -> list[Any]:
        value = (self.content or {}).get(name)
        return value if isinstance(value, list) else []


class DeadLetters:
    """Reads one queue of dead letters, as a context manager.

    Reading hides a letter from other readers. At the end of the `with` block, all letters that were
    not redriven are visible again. Methods raise botocore's errors.
    """

    def __init__(self, sqs: "SQSClient", url: str, source_url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._source_url = source_url
        self._receipts: dict[str, str] = {}
        self._redriven: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        # If this fails, the letters are visible again after HIDDEN_SECONDS.
        with suppress(BotoCoreError, ClientError):
            self._release()

    def letters(self) -> Iterator[Letter]:
        """Each letter once, in no order, until SQS returns nothing new.

        SQS does not return letters that another reader holds. At most HELD_MAX are returned.
        """
        stale = 0
        while stale < STALE_MAX and len(self._receipts) < HELD_MAX:
            found = self._receive()
            if not found:
                return
            known = self._receipts.keys() | self._redriven
            new = [one for one in found if one["MessageId"] not in known]
            # A letter that is received again has a new receipt, and only the newest is valid.
            self._receipts |= {one["MessageId"]: one["ReceiptHandle"] for one in found}
            stale = 0 if new else stale + 1
            yield from map(_letter, new)

    def redrive(self, letter: Letter) -> None:
        """Sends the letter to its queue as a new message, then deletes it here.

        After a failure between the two it is in both queues. Relay skips the states that it has.
        """
        message: SendMessageRequestTypeDef = {
            "QueueUrl": self._source_url,
            "MessageBody": letter.body,
        }
        if letter.group and _GROUP.fullmatch(letter.group):
            message["MessageGroupId"] = letter.group
        self._sqs.send_message(**message)
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts[letter.id])
        del self._receipts[letter.id]
        self._redriven.add(letter.id)

    def _receive(self) -> "list[MessageTypeDef]":
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_AT_ONCE,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _release(self) -> None:
        receipts = list(self._receipts.values())
        for start in range(0, len(receipts), _AT_ONCE):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                    for number, receipt in enumerate(receipts[start : start + _AT_ONCE])
                ],
            )


def content_of(body: str) -> dict[str, Any] | None:
    """A body's document: JSON, or deflated JSON in base64, the format of queued submissions.

    At most CONTENT_BYTES_MAX are inflated. None for any other body.
    """
    document = _parsed(body)
    return _parsed(_inflated(body)) if document is None else document


def _parsed(text: str | bytes) -> dict[str, Any] | None:
    # Deeply nested JSON, which Relay never sends, exhausts the parser.
    with suppress(ValueError, RecursionError):
        document = json.loads(text, parse_constant=_refuse)
        return document if isinstance(document, dict) else None
    return None


def _inflated(body: str) -> bytes:
    with suppress(ValueError, zlib.error):
        deflated = base64.b64decode(body, validate=True)
        return zlib.decompressobj().decompress(deflated, CONTENT_BYTES_MAX)
    return b""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")


def _letter(message: "MessageTypeDef") -> Letter:
    system: Mapping[Any, str] = message.get("Attributes", {})
    said = message.get("MessageAttributes", {})
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        sent_at=_of_milliseconds(int(system["SentTimestamp"])),
        received=int(system["ApproximateReceiveCount"]),
        attributes={
            **{name: system[name] for name in ("MessageGroupId",) if name in system},
            **{
                name: value["StringValue"] for name, value in said.items() if "StringValue" in value
            },
        },
    )


def _of_milliseconds(at: Any) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _is(value: Any, *types: type) -> bool:
    """Whether the value is a list of exactly these types."""
    return isinstance(value, list) and tuple(map(type, value)) == types


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None
