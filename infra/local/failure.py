"""What goes wrong with the local stack, told to the person who started it."""

import sys
from collections.abc import Callable
from pathlib import Path

TAIL_LINES = 25
# As a shell has it for a command that Ctrl-C has ended.
STOPPED = 130


class StackFailure(Exception):
    """The stack, or a part of it, could not do what was asked; the message says what and why."""


def told(command: Callable[[], int]) -> int:
    """The command's exit code; a failure of the stack, and Ctrl-C, are told without a traceback."""
    try:
        return command()
    except StackFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED


def with_log(message: str, log: Path) -> StackFailure:
    """The failure together with the last lines of the log that matters."""
    return StackFailure(f"{message}\n{tail(log)}")


def tail(log: Path) -> str:
    if not log.exists():
        return f"({log.name} was not written.)"
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"Last lines of {log.name}:", *(f"  {line}" for line in lines)])
