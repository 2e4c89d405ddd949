"""`make bench` and `make bench-NAME`: measure, print, and update docs/performance.md.

With --small, the sizes are small and nothing is written: a check that every benchmark runs.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.markdown import Markdown

from infra.bench import (
    callback,
    calls,
    cost,
    deliver,
    door,
    fresh,
    growth,
    memory,
    naive,
    scale,
    search,
    wake,
)
from infra.bench.document import COLUMNS, DOCUMENT, renewed, table, tables, target_rows
from infra.bench.result import Result, Table
from infra.bench.sizes import FULL, SMALL, Sizes
from infra.bench.stand import Stand, stand
from infra.local.failure import reported
from infra.local.screen import Screen
from infra.local.stack import ending_in_order

BENCHMARKS: Mapping[str, Callable[[Stand, Sizes], Result]] = {
    "calls": calls.benchmark,
    "fresh": fresh.benchmark,
    "deliver": deliver.benchmark,
    "naive": naive.benchmark,
    "callback": callback.benchmark,
    "door": door.benchmark,
    "wake": wake.benchmark,
    "search": search.benchmark,
    "growth": growth.benchmark,
    "memory": memory.benchmark,
    "scale": scale.benchmark,
    "cost": cost.benchmark,
}


def main() -> int:
    """Returns the exit code: 0 if every benchmark ran, whether or not the targets are met."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--small", action="store_true", help="small sizes; nothing is written")
    given = parser.parse_args()
    names: Sequence[str] = given.names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(
            f"there is no benchmark {unknown[0]}; the benchmarks are {', '.join(BENCHMARKS)}"
        )
    console = Console(highlight=False, soft_wrap=True)
    screen = Screen(console)
    results: dict[str, Result] = {}
    with ending_in_order(), stand(screen) as standing:
        for name in names:
            started = time.monotonic()
            try:
                results[name] = BENCHMARKS[name](standing, SMALL if given.small else FULL)
            except Exception:
                # The other benchmarks still run.
                console.print(f"{name} failed:", markup=False)
                traceback.print_exc()
                continue
            console.print(Markdown(tables(results[name])))
            screen.say(f"{name} took {time.monotonic() - started:.0f} s.")
            if not given.small:
                text = renewed(DOCUMENT.read_text("utf-8"), name, results[name])
                DOCUMENT.write_text(text, "utf-8")
    rows = [row for name, result in results.items() for row in target_rows(name, result)]
    console.print(Markdown("\n".join(table(Table("Targets", COLUMNS, rows)))))
    screen.say(f"{len(results)} of {len(names)} benchmarks were measured.")
    return 0 if len(results) == len(names) else 1


if __name__ == "__main__":
    sys.exit(reported(main))
