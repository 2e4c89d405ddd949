"""`make bench` and `make bench-NAME`: measure, print, and write docs/performance.md."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module

from rich.console import Console

from infra.bench.sizes import FULL, SMALL, Sizes
from infra.bench.stand import Stand, stand
from infra.bench.result import Result
from infra.local.screen import Screen

def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    with stand(Screen(console)) as s:
        for n in sys.argv[1:]:
            r = import_module(f"infra.bench.{n}").benchmark(s, SMALL if "--small" in sys.argv else FULL)
            for t in r.tables:
                console.print(t.columns); 
                for row in t.rows: console.print(row)
            console.print(r.targets)
    return 0

if __name__ == "__main__":
    sys.exit(main())
