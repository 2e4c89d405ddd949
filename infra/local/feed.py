"""The demo's input, parsed by the code of `relay submit`."""

from collections.abc import Iterable
from pathlib import Path

from infra.local.failure import StackFailure
from relay_cli.feed import BODY_BYTES_MAX, KINDS, BadInput, State, Submission, split
from relay_cli.feed import parse_states as parse_lines

__all__ = [
    "BODY_BYTES_MAX",
    "KINDS",
    "State",
    "Submission",
    "parse_states",
    "read_states",
    "split",
]


def read_states(path: Path) -> list[State]:
    """The states in a file. Raises StackFailure, which names the first invalid line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise StackFailure(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StackFailure(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error
    return parse_states(text.split("\n"), str(path))


def parse_states(lines: Iterable[str], source: str) -> list[State]:
    """The states in lines of `{"incident": {…}}` or `{"review": {…}}`.

    Raises StackFailure, which names `source` and the first invalid line.
    """
    try:
        states = parse_lines(lines, source)
    except BadInput as error:
        raise StackFailure(str(error)) from None
    for state in states:
        if not state.fits:
            raise StackFailure(
                f"{source}, line {state.line}: larger than the limit of a submission."
            )
    return states
