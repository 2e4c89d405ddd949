"""Input from a file, or from standard input as `-`."""

import sys
from pathlib import Path

from relay_cli.failure import Misuse


def read_bytes(file: str) -> bytes:
    """The file's content. Raises Misuse if it can't be read."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Misuse(f"{file} can't be read: {error.strerror}.") from None


def read_text(file: str) -> str:
    """The file's text, without a byte order mark. Raises Misuse if it isn't UTF-8."""
    try:
        return read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misuse(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from None
