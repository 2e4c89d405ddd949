"""Updates docs/performance.md: a benchmark's rows of the targets and the tables of its section.

Each row of the targets starts with the benchmark's name; its tables are between the comments
`<!-- NAME -->` and `<!-- end of NAME -->`. Everything else is written by hand.
"""

import os
import platform
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from infra.bench.result import Result, Table
from infra.local.paths import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
COLUMNS = ("benchmark", "what", "measured", "target", "reached")
_MET = {True: "yes", False: "no", None: ""}


def renewed(text: str, name: str, result: Result) -> str:
    """Returns the text with the new result. Raises ValueError if it lacks the benchmark."""
    rows = "".join(f"{_row(row)}\n" for row in target_rows(name, result))
    written = f"<!-- {name} -->\n\n{tables(result)}\n{_measured()}\n\n<!-- end of {name} -->"
    parts = [
        (rf"(^\| {name} \|.*\n)+", rows) if rows else None,
        (rf"<!-- {name} -->\n(.*\n)*?<!-- end of {name} -->", written),
    ]
    for pattern, new in filter(None, parts):
        text, count = re.subn(pattern, new.replace("\\", r"\\"), text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"docs/performance.md has {count} places for {name}.")
    return text


def target_rows(name: str, result: Result) -> list[tuple[str, ...]]:
    """The rows of the targets, as strings in the order of COLUMNS."""
    return [(name, one.what, one.measured, one.limit, _MET[one.met]) for one in result.targets]


def tables(result: Result) -> str:
    """All tables of a result, in Markdown."""
    return "\n".join(line for one in result.tables for line in table(one))


def table(one: Table) -> Iterator[str]:
    """The lines of one table, in Markdown."""
    if one.title:
        yield f"{one.title}:\n"
    yield _row(one.columns)
    yield "|---" * len(one.columns) + "|"
    yield from map(_row, one.rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _measured() -> str:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"Measured on {datetime.now(UTC).date()}: {machine}."
