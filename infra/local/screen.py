"""The demo's output: progress bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

PLAIN_LINE_SECONDS = 2.0
ERRORS_SHOWN = 10


class Meter(Protocol):
    """Shows the progress of one task."""

    def reach(self, completed: int) -> None:
        """Shows that this number of the total is complete."""


class Screen:
    """Prints to a console, with the seconds since its start in front of each message."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(emoji=False, highlight=False, soft_wrap=True)
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start of the demo."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Prints a message with a time stamp."""
        stamp = f"{self.seconds:5.1f} s  "
        self._console.print(f"{stamp}{text}", markup=False)

    @contextmanager
    def meter(self, what: str, total: int) -> Iterator[Meter]:
        """Shows the progress towards `total` while the block runs."""
        if not self._console.is_terminal:
            yield _Lines(self, what, total)
            return
        columns = (
            TextColumn("         {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            yield _Bar(progress, what, total)

    def gap(self) -> None:
        """Prints an empty line, such as between messages and a grid."""
        self._console.print()

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Prints names with right-aligned values."""
        table = Table(show_header=False, box=None, padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        for name, value in rows:
            table.add_row(name, value)
        self._console.print()
        self._console.print(table)
        self._console.print()

    def grid(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints columns below their names; none is cut, however narrow the terminal."""
        lines = [header, *rows]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self._console.print(f"  {'  '.join(cells)}".rstrip(), markup=False)
        self._console.print()

    def faults(self, title: str, faults: Sequence[object]) -> None:
        """Prints the number of faults below a title, and the first ERRORS_SHOWN."""
        self._console.print(f"{title}: {len(faults)}", markup=False)
        for fault in faults[:ERRORS_SHOWN]:
            self._console.print(f"  {fault}", markup=False)
        if len(faults) > ERRORS_SHOWN:
            self._console.print(f"  and {len(faults) - ERRORS_SHOWN} more", markup=False)


class _Bar:
    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def reach(self, completed: int) -> None:
        self._progress.update(self._task, completed=completed)


class _Lines:
    def __init__(self, screen: Screen, what: str, total: int) -> None:
        self._screen = screen
        self._what = what
        self._total = total
        self._last = -1
        self._due = 0.0

    def reach(self, completed: int) -> None:
        """Prints the first and the last figure, and others every PLAIN_LINE_SECONDS."""
        ended = completed >= self._total
        if completed == self._last or (time.monotonic() < self._due and not ended):
            return
        self._last, self._due = completed, time.monotonic() + PLAIN_LINE_SECONDS
        self._screen.say(f"{self._what}: {completed} of {self._total}")
