"""Dead letters: what is known of one, and how a queue of them is read, put back, and sent again."""

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

# Seconds. A letter that is looked at is hidden from others for so long, should nothing bring it
# back before; long enough to read some thousands of them.
HIDDEN_SECONDS = 60
# Seconds that SQS waits for a letter before it says that there is none: it then asks all its
# servers, and not just some.
WAIT_SECONDS = 1
# Answers in a row with nothing new, after which there is nothing more to come.
STALE_MAX = 3
# Of each queue, so that memory does not grow with it.
HELD_MAX = 10_000
# Twice what Relay packs into one message.
CONTENT_BYTES_MAX = 8 * 1024 * 1024

NO_REASON = "The function ended without an answer; its log has it under this message id."

_AT_ONCE = 10
_LISTS = {"incidents": "incident", "reviews": "review"}
_GROUP = re.compile(r"[!-~]{1,128}", re.ASCII)


@dataclass(frozen=True)
class Entity:
    """`sequence` is None for one that is to be deleted, and where the body does not say it."""

    kind: str
    id: str
    sequence: int | None = None
    deleted: bool = False

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": self.kind, "id": self.id}
        if self.sequence is not None:
            found["updateSequenceNumber"] = self.sequence
        return found | ({"deleted": True} if self.deleted else {})


@dataclass(frozen=True)
class Letter:
    """`sent_at` is when its message was first sent, in UTC; `attributes` are what Relay, or SQS,
    says beside the body, by name."""

    id: str
    body: str = field(repr=False)
    sent_at: datetime
    received: int
    attributes: Mapping[str, str]

    @cached_property
    def content(self) -> dict[str, Any] | None:
        """What the body holds; None for one that can't be read. Nobody has judged it."""
        return content_of(self.body)

    @property
    def reason(self) -> str | None:
        """None where it was SQS that moved it here: then nothing could say a reason."""
        return self.attributes.get("reason")

    @property
    def workspace_id(self) -> str | None:
        return (
            self.attributes.get("workspaceId")
            or self._text("workspaceId")
            # As notices have it.
            or self._text("workspace_id")
        )

    @property
    def site_id(self) -> str | None:
        """The site whose replay it is."""
        return self._text("tenantId")

    @property
    def group(self) -> str | None:
        """The message group that it had, or by which Relay groups such messages."""
        return self.attributes.get("MessageGroupId") or self.site_id or self.workspace_id

    @property
    def correlation_id(self) -> str | None:
        return self.attributes.get("correlationId") or self._text("correlationId")

    @property
    def event(self) -> str | None:
        """What a notice tells."""
        return self._text("event")

    @property
    def accepted_at(self) -> datetime | None:
        """When the submission was answered."""
        with suppress(TypeError, ValueError, OverflowError, OSError):
            return _of_milliseconds((self.content or {}).get("acceptedAt"))
        return None

    @cached_property
    def entities(self) -> list[Entity]:
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
        return [one for one in self._list("containers") if isinstance(one, str)]

    def _text(self, name: str) -> str | None:
        value = (self.content or {}).get(name)
        return value if isinstance(value, str) else None

    def _list(self, name: str) -> list[Any]:
        value = (self.content or {}).get(name)
        return value if isinstance(value, list) else []


class DeadLetters:
    """One queue of dead letters, while it is looked at.

    Reading hides a letter from others; at the end of the `with` block all come back that were not
    redriven. Raises what boto3 raises.
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

        # Without this they come back as well, only later.
        with suppress(BotoCoreError, ClientError):
            self._release()

    def letters(self) -> Iterator[Letter]:
        """Each letter once, in no order, until SQS has nothing new.

        SQS has no complete view: a letter that someone else is looking at is not among them. No
        more than HELD_MAX are held at once.
        """
        stale = 0
        while stale < STALE_MAX and len(self._receipts) < HELD_MAX:
            found = self._receive()
            if not found:
                return
            known = self._receipts.keys() | self._redriven
            new = [one for one in found if one["MessageId"] not in known]
            # One that comes again has a new receipt, and only the newest is sure to be good.
            self._receipts |= {one["MessageId"]: one["ReceiptHandle"] for one in found}
            stale = 0 if new else stale + 1
            yield from map(_letter, new)

    def redrive(self, letter: Letter) -> None:
        """Send it to its queue as a new message, and only then delete it here.

        If that ends between the two, it is in both: Relay passes over what it has already.
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
    """A body's document: JSON, or as submissions are queued: deflated JSON, in base64.

    No more of it is inflated than a message of Relay can hold. None for any other body.
    """
    document = _parsed(body)
    return _parsed(_inflated(body)) if document is None else document


def _parsed(text: str | bytes) -> dict[str, Any] | None:
    # Deeply nested JSON is none of Relay's, and exhausts the parser.
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
    raise ValueError(f"{constant} is no JSON")


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
    """A list of just these types."""
    return isinstance(value, list) and tuple(map(type, value)) == types


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None
