"""States of incidents and reviews in file order, split by Relay's limits.

The local stack's demo also reads its input with this module.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from relay_cli.failure import Misuse

KINDS = ("incident", "review")
LISTS = {f"{kind}s": kind for kind in KINDS}
# Relay's limit for the body of one submission.
BODY_BYTES_MAX = 4 * 1024 * 1024
# {"incidents":[],"reviews":[],"acceptedAt":{"incidents":[],"reviews":[]},"properties":,
# "providerMetadata":}
_ENVELOPE_BYTES = 112

_COMMON = ("properties", "providerMetadata")
_LINE_OF_JSONL = re.compile(r'\{\s*"(?:incident|review)"\s*:')


class BadInput(Misuse):
    """The input is not a list of states. The message names the place."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bad_input")


@dataclass(frozen=True)
class State:
    """A state of an incident or a review, unvalidated.

    `index` is the position among the states of its kind, as in Relay's paths. `line` is the line in
    a JSONL file, or 0 in a JSON document. `text` is the entity as compact JSON.
    `accepted_at` is when another deployment accepted the state; None for one that is new.
    """

    line: int
    kind: str
    index: int
    text: bytes = field(repr=False)
    accepted_at: str | None = None

    @property
    def size(self) -> int:
        """Bytes in a submission's body, including commas."""
        return len(self.text) + 1 + (len(self.accepted_at) + 3 if self.accepted_at else 0)

    @cached_property
    def entity(self) -> Any:
        """The parsed entity; any JSON value."""
        return json.loads(self.text)

    @property
    def id(self) -> str:
        """The entity's id for output; empty if it has none."""
        found = str(self.entity.get("id", "")) if isinstance(self.entity, dict) else ""
        # An unpaired surrogate can't be encoded for output.
        return found.encode(errors="replace").decode()

    @property
    def sequence(self) -> int:
        """The `updateSequenceNumber`. Raises an error for an entity without a valid one."""
        return int(self.entity["updateSequenceNumber"])

    @property
    def path(self) -> str:
        """The path in a submission, such as `incidents[3]`."""
        return f"{self.kind}s[{self.index}]"

    @property
    def place(self) -> str:
        """The place in the input: the line, or else the path."""
        return f"line {self.line}" if self.line else self.path

    @property
    def fits(self) -> bool:
        """Whether it is small enough for a submission of its own."""
        return self.size + _ENVELOPE_BYTES <= BODY_BYTES_MAX


@dataclass(frozen=True)
class Feed:
    """The states in file order. `properties` and `metadata` (a submission's `providerMetadata`)
    apply to all of them."""

    states: Sequence[State]
    properties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """States that fit into one body. Verdicts index them in file order per kind."""

    states: Sequence[State]
    properties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[State]:
        """The states of one kind, in file order."""
        return [state for state in self.states if state.kind == kind]

    def body(self) -> bytes:
        """The request body: a submission as JSON in UTF-8."""
        lists = {name: self.of_kind(kind) for name, kind in LISTS.items()}
        parts = [
            b'"%s":[%s]' % (name.encode(), b",".join(state.text for state in states))
            for name, states in lists.items()
            if states
        ]
        times = {
            name: [state.accepted_at for state in states]
            for name, states in lists.items()
            if any(state.accepted_at for state in states)
        }
        if times:
            parts.append(b'"acceptedAt":' + compact(times))
        if self.properties:
            parts.append(b'"properties":' + compact(self.properties))
        if self.metadata:
            parts.append(b'"providerMetadata":' + compact(self.metadata))
        return b"{" + b",".join(parts) + b"}"

    def halves(self) -> tuple["Submission", "Submission"]:
        """Two submissions with half of the states each."""
        middle = len(self.states) // 2
        return (
            replace(self, states=self.states[:middle]),
            replace(self, states=self.states[middle:]),
        )


def parse_feed(content: bytes, source: str) -> Feed:
    """A submission's document, or lines of `{"incident": {…}}` and `{"review": {…}}`.

    Raises BadInput for any other content, and without a state. `source` names the file in it.
    """
    try:
        # Windows editors write a byte order mark.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{source} is not UTF-8: {error.reason} at byte {error.start}.") from None
    if _LINE_OF_JSONL.match(text.lstrip()):
        return Feed(parse_states(text.split("\n"), source))
    return _parse_document(text, source)


def parse_states(lines: Iterable[str], source: str) -> list[State]:
    """The states in lines of `{"incident": {…}}` or `{"review": {…}}`; empty lines are skipped.

    Raises BadInput for any other line, and without a state.
    """
    counts = dict.fromkeys(KINDS, 0)
    states = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        kind, text = _parse_line(line, f"{source}, line {number}")
        states.append(State(number, kind, counts[kind], text))
        counts[kind] += 1
    if not states:
        raise BadInput(f"{source} contains no incident or review.")
    return states


def split(
    states: Iterable[State],
    properties: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Iterator[Submission]:
    """Packs the states, in file order, into the fewest submissions that the limit allows."""
    common = (properties or {}, metadata or {})
    envelope = _ENVELOPE_BYTES + sum(len(compact(part)) for part in common)
    part: list[State] = []
    size = envelope
    for state in states:
        if part and size + state.size > BODY_BYTES_MAX:
            yield Submission(part, *common)
            part, size = [], envelope
        part.append(state)
        size += state.size
    if part:
        yield Submission(part, *common)


def compact(document: Any) -> bytes:
    """Compact JSON in UTF-8. Raises ValueError for NaN and infinities, which JSON lacks."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # An unpaired surrogate can only be escaped. Relay's verdict names the field.
        return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def _parse_line(text: str, where: str) -> tuple[str, bytes]:
    document = parse_json(text, where)
    if not isinstance(document, dict) or len(document) != 1 or not document.keys() <= set(KINDS):
        raise BadInput(f'{where}: expected {{"incident": …}} or {{"review": …}}.')
    [(kind, entity)] = document.items()
    return kind, as_text(entity, where)


def _parse_document(text: str, source: str) -> Feed:
    if not text.strip():
        raise BadInput(f"{source} contains no incident or review.")
    document = parse_json(text, source)
    known = {*LISTS, *_COMMON}
    if not isinstance(document, dict) or not document.keys() <= known:
        raise BadInput(
            f'{source}: expected {{"incidents": […], "reviews": […]}}, or lines of '
            '{"incident": …} and {"review": …}.'
        )
    # Relay treats null as absent.
    document = {name: value for name, value in document.items() if value is not None}
    states: list[State] = []
    for name, kind in LISTS.items():
        entities = document.get(name, [])
        if not isinstance(entities, list):
            raise BadInput(f"{source}: {name} must be a list.")
        states += [
            State(0, kind, index, as_text(entity, f"{source}, {name}[{index}]"))
            for index, entity in enumerate(entities)
        ]
    if not states:
        raise BadInput(f"{source} contains no incident or review.")
    common = {name: document.get(name, {}) for name in _COMMON}
    for name, value in common.items():
        if not isinstance(value, dict):
            raise BadInput(f"{source}: {name} must be an object of strings.")
    return Feed(states, common["properties"], common["providerMetadata"])


def parse_json(text: str, where: str) -> Any:
    """The text's JSON. Raises BadInput with the place of the fault; `where` names the file."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"{where}, line {error.lineno}" if error.lineno > 1 else where
        raise BadInput(f"{place}: not JSON: {error.msg}, column {error.colno}.") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where}: not JSON: {error}.") from None


def as_text(entity: Any, where: str) -> bytes:
    """The parsed JSON as compact JSON. Raises BadInput for a number that JSON lacks."""
    try:
        return compact(entity)
    except ValueError as error:
        raise BadInput(f"{where}: not JSON: {error}.") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")
