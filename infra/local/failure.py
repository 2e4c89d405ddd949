"""Failures of the local stack, reported to the person who started it."""

import sys
from collections.abc import Callable
from pathlib import Path

TAIL_LINES = 25
# A shell's exit code for a command that Ctrl-C stopped.
STOPPED = 130


class StackFailure(Exception):
    """The stack, or a part of it, failed. The message says what failed and why."""


def reported(command: Callable[[], int]) -> int:
    """The command's exit code. StackFailure and Ctrl-C are printed without a traceback."""
    try:
        return command()
    except StackFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED


def with_log(message: str, log: Path) -> StackFailure:
    """A failure with the message and the last lines of the log."""
    return StackFailure(f"{message}\n{tail(log)}")


def tail(log: Path) -> str:
    """The last TAIL_LINES lines of a log, indented below its name."""
    if not log.exists():
        return f"({log.name} does not exist.)"
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"Last lines of {log.name}:", *(f"  {line}" for line in lines)])
