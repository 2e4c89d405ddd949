"""The command's output: tables and text, or JSON.

A terminal gets colors and folded lines; other output is plain text, neither wrapped nor truncated.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import StringIO, TextIOWrapper
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn
from rich.table import Table
from rich.text import Text

from relay_cli.failure import Failure

DETAILS_SHOWN = 20
# Columns; wider than any line.
_ENDLESS = 100_000

# They change the direction of writing, and can make a text look like another.
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

Cell = str | Text


class Screen:
    """Writes results to stdout, and notes and errors to stderr. `json` is the option `--json`."""

    def __init__(self, json: bool = False) -> None:
        self.json = json
        for stream in (sys.stdout, sys.stderr) if json else ():
            # JSON is UTF-8, whatever the terminal's encoding.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(encoding="utf-8")
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)

    def document(self, document: Any) -> None:
        """Writes a document as indented JSON."""
        text = json.dumps(document, indent=2, ensure_ascii=False)
        sys.stdout.write(text.encode(errors="replace").decode() + "\n")

    def line(self, document: Any) -> None:
        """Writes one of many documents as a line of JSON, and flushes it."""
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        sys.stdout.write(text.encode(errors="replace").decode() + "\n")
        sys.stdout.flush()

    def say(self, *lines: Cell) -> None:
        """Writes lines to stdout."""
        for line in lines:
            self._print(self.out, _text(line))

    def result(self, document: Any, *lines: Cell) -> None:
        """Writes the document with `--json`, else the lines."""
        if self.json:
            self.document(document)
        else:
            self.say(*lines)

    def verbatim(self, *lines: str) -> None:
        """Writes lines for copying: a terminal folds them, which leaves them whole."""
        for line in lines:
            self._print(self.out, _text(line), soft_wrap=True)

    def note(self, *lines: Cell) -> None:
        """Writes lines to stderr, which are not part of the result."""
        for line in lines:
            self._print(self.err, _text(line))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Writes a table, or without a row a note to stderr."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*map(_text, row))
        if table.row_count:
            self._print(self.out, table)
        else:
            self.note("There are none.")

    def fields(self, rows: Iterable[tuple[str, Cell]], indent: int = 0) -> None:
        """Writes names with their values. Names with an empty value are left out."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows:
            if value:
                table.add_row(Text(" " * indent + name, style="dim"), _text(value))
        if table.row_count:
            self._print(self.out, table)

    def waiting(self, words: str) -> AbstractContextManager[object]:
        """Shows a spinner on a terminal while the `with` block runs."""
        return self.err.status(words) if self.err.is_terminal else nullcontext()

    @contextmanager
    def bars(self, *columns: ProgressColumn) -> Iterator[Progress | None]:
        """Progress bars on stderr; None without a terminal or with `--json`."""
        if not self.err.is_terminal or self.json:
            yield None
            return
        with Progress(*columns, console=self.err, transient=True) as progress:
            yield progress

    def failure(self, failure: Failure) -> None:
        """Writes an error to stderr, with its details and correlation id."""
        if self.json:
            text = json.dumps(failure.document(), indent=2, ensure_ascii=False)
            sys.stderr.write(text.encode(errors="replace").decode() + "\n")
            return
        self.note(Text.assemble(("Error: ", "bold red"), _text(failure.message)))
        self.details(failure.details)
        if failure.correlation_id:
            self.note(f"The id of this call in Relay's logs: {failure.correlation_id}")

    def details(self, details: Sequence[Mapping[str, str]]) -> None:
        """Writes the first DETAILS_SHOWN of an error's details to stderr."""
        self.note(*map(detail_line, details[:DETAILS_SHOWN]))
        if len(details) > DETAILS_SHOWN:
            self.note(f"  and {len(details) - DETAILS_SHOWN} more; --json shows all")

    def _print(self, console: Console, what: RenderableType, soft_wrap: bool = False) -> None:
        if console.is_terminal:
            console.print(what, soft_wrap=soft_wrap)
            return
        # Columns are padded with spaces, which are removed at the end of a line.
        plain = Console(file=StringIO(), width=_ENDLESS, color_system=None, highlight=False)
        with plain.capture() as capture:
            plain.print(what)
        lines = (line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
        console.file.write("".join(f"{line}\n" for line in lines))
        # The reader of a pipe gets each line at once.
        console.file.flush()


def detail_line(detail: Mapping[str, str]) -> str:
    """An error's detail as a line: path, message and rule."""
    where = f"{detail['path']}: " if detail.get("path") else ""
    return f"  {where}{detail.get('message')} ({detail.get('rule')})"


def shown(text: str) -> str:
    """The text in one line, without the characters that control a terminal."""
    return "".join(map(_harmless, text))


def styled(text: str, style: str) -> Text:
    """The text without control characters, in a style of rich's."""
    return Text(shown(text), style=style)


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(shown(cell))


def _harmless(mark: str) -> str:
    if mark.isspace():
        return " "
    steers = unicodedata.category(mark) in ("Cc", "Cs") or mark in _DIRECTIONS
    return "\N{REPLACEMENT CHARACTER}" if steers else mark
