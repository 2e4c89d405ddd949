"""What is submitted: states of incidents and reviews in file order, split as Relay asks."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.failure import StackFailure

KINDS = ("incident", "review")
# Relay's limit for the body of one submission.
BODY_BYTES_MAX = 4 * 1024 * 1024
# {"incidents":[],"reviews":[]}
ENVELOPE_BYTES = 32


@dataclass(frozen=True)
class State:
    """One line of the input: a state of an incident or a review, just as it was given."""

    line: int
    kind: str
    entity: Any
    size: int

    @property
    def id(self) -> str:
        return str(self.entity.get("id", "")) if isinstance(self.entity, dict) else ""

    @property
    def sequence(self) -> int:
        return int(self.entity["updateSequenceNumber"])


@dataclass(frozen=True)
class Submission:
    """States that fit into one body, in file order per kind, as verdicts are indexed."""

    states: Sequence[State]

    def of_kind(self, kind: str) -> list[State]:
        return [state for state in self.states if state.kind == kind]

    def body(self) -> bytes:
        lists = {f"{kind}s": [state.entity for state in self.of_kind(kind)] for kind in KINDS}
        return compact({name: entities for name, entities in lists.items() if entities})


def read_states(path: Path) -> list[State]:
    """The file's states; raises StackFailure with the number of the first bad line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise StackFailure(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StackFailure(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error
    return parse_states(text.split("\n"), str(path))


def parse_states(lines: Iterable[str], source: str) -> list[State]:
    """Lines of `{"incident": {…}}` or `{"review": {…}}`; empty ones are passed over."""
    states = [_parse(line, number, source) for number, line in enumerate(lines, 1) if line.strip()]
    if not states:
        raise StackFailure(f"{source} holds no incident and no review.")
    return states


def _parse(text: str, number: int, source: str) -> State:
    where = f"{source}, line {number}"
    try:
        document = json.loads(text, parse_constant=_refuse)
        compact(document)
    except ValueError as error:
        raise StackFailure(f"{where}: not JSON: {error}.") from None
    if not isinstance(document, dict) or len(document) != 1 or not document.keys() <= set(KINDS):
        raise StackFailure(f'{where}: expected {{"incident": …}} or {{"review": …}}.')
    [(kind, entity)] = document.items()
    state = State(number, kind, entity, len(compact(entity)) + 1)
    if state.size + ENVELOPE_BYTES > BODY_BYTES_MAX:
        raise StackFailure(f"{where}: larger than a whole submission may be.")
    return state


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def split(states: Iterable[State]) -> Iterator[Submission]:
    """The states in file order, in as few submissions as the limit allows."""
    part: list[State] = []
    size = ENVELOPE_BYTES
    for state in states:
        if part and size + state.size > BODY_BYTES_MAX:
            yield Submission(part)
            part, size = [], ENVELOPE_BYTES
        part.append(state)
        size += state.size
    if part:
        yield Submission(part)


def compact(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
