"""Results on the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Grid

from infra.bench.result import Result, Table, Target

_MET = {True: "yes", False: "no", None: ""}


def print_result(console: Console, result: Result) -> None:
    console.print()
    console.print(f"{result.title} ({result.name})", style="bold")
    for table in result.tables:
        console.print(_grid(table))
    if result.targets:
        console.print(_grid(targets_table(result.targets)))


def print_targets(console: Console, results: Sequence[Result]) -> None:
    """All of them once more, at the end."""
    rows = [[result.name, *row] for result in results for row in targets_table(result.targets).rows]
    if rows:
        console.print(_grid(Table("All of it", ("benchmark", *_COLUMNS), rows)))


_COLUMNS = ("what", "measured", "to reach", "reached")


def targets_table(targets: Sequence[Target]) -> Table:
    rows = [[one.what, one.measured, one.to_reach, _MET[one.met]] for one in targets]
    return Table("", _COLUMNS, rows)


def _grid(table: Table) -> Grid:
    grid = Grid(*table.columns, title=table.title or None, title_justify="left", box=SIMPLE)
    for column in grid.columns[1:]:
        column.overflow = "fold"
    for row in table.rows:
        grid.add_row(*row)
    return grid
