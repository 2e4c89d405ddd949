"""docs/performance.md, its plots, and the results that they are written from; what was tried, and
what is not reached and why, is `tried.md`."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.bench.plots import bars_svg, lines_svg
from infra.bench.report import targets_table
from infra.bench.result import Result, Table
from infra.local.paths import ROOT

DOCS = ROOT / "docs"
TRIED = Path(__file__).with_name("tried.md")
_INTRODUCTION = """\
# Performance

Written by `make bench`, with every figure in here, and anyone can run it. The name in parentheses,
put behind `make bench` and a dash, measures one of these alone and renews its part.

What is measured on a computer depends on the computer. So each figure stands beside another one
that was taken in the same run, by turns where there are several rounds, and what counts is how many
times the one is the other. A figure is the median of its rounds; in parentheses are the lower and
the upper quartile. A ratio is the median of the rounds' own ratios.

AWS is not here: DynamoDB is a process with its tables in memory (`infra/bench/ordered_tables.py`),
SQS and KMS are MiniStack, Jira is the simulator. So requests, items and bytes are AWS's own, and
times are those of our code.
"""


def write_document(results: Sequence[Result], order: Sequence[str], docs: Path = DOCS) -> Path:
    """Renew these results, in this order with those of before; returns the document."""
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "results.json"
    known: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    known |= {one.name: one.document() | {"machine": machine()} for one in results}
    known = {name: known[name] for name in order if name in known}
    kept.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
    everything = {
        name: (document.pop("machine"), Result.of(document)) for name, document in known.items()
    }
    for _, result in everything.values():
        for name, svg in plots(result):
            (folder / f"{name}.svg").write_text(svg, "utf-8")
    document = docs / "performance.md"
    document.write_text(markdown(list(everything.values())), "utf-8")
    return document


def machine() -> str:
    """What the figures of one run were taken on, in short."""
    cores = os.cpu_count() or 1
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"


def plots(result: Result) -> Iterator[tuple[str, str]]:
    """(name, SVG) of each."""
    yield from ((one.name, bars_svg(one)) for one in result.bars)
    yield from ((one.name, lines_svg(one)) for one in result.lines)


def markdown(results: Sequence[tuple[str, Result]]) -> str:
    """The document of these (machine, result)."""
    reached = [
        [f"[{result.name}](#{_anchor(result)})", *row]
        for _, result in results
        for row in targets_table(result.targets).rows
    ]
    columns = ("benchmark", *targets_table(()).columns)
    parts = [_INTRODUCTION, "## What is to be reached\n", *_table(Table("", columns, reached))]
    for machine_, result in results:
        parts += _section(machine_, result)
    parts.append(TRIED.read_text("utf-8"))
    return "\n".join(parts)


def _section(machine_: str, result: Result) -> Iterator[str]:
    yield f"## {_title(result)}\n"
    yield f"{result.about}\n"
    for table in result.tables:
        if table.title:
            yield f"{table.title}:\n"
        yield from _table(table)
    named = [(one.title, one.name) for one in result.bars]
    named += [(one.title, one.name) for one in result.lines]
    for title, name in named:
        yield f"![{title}](performance/{name}.svg)\n"
    for note in result.notes:
        yield f"{note}\n"
    yield f"Measured on {result.day}: {machine_}.\n"


def _table(table: Table) -> Iterator[str]:
    yield _row(table.columns)
    yield "|---" * len(table.columns) + "|"
    for row in table.rows:
        yield _row(row)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _title(result: Result) -> str:
    return f"{result.title} ({result.name})"


def _anchor(result: Result) -> str:
    """As Markdown's renderers make it of the heading."""
    kept = "".join(mark for mark in _title(result).lower() if mark.isalnum() or mark in " -")
    return kept.replace(" ", "-")
