"""`make bench` and `make bench-NAME`: measure, print, and write docs/performance.md anew.

What was measured stays in docs/performance/results.json, so that a run of one benchmark renews its
own part of the document. With --small nothing is written: it only shows that everything works.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from infra.bench import callback, calls, cost, deliver, growth, memory, naive, search, wake
from infra.bench.document import write_document
from infra.bench.report import print_result, print_targets
from infra.bench.result import Result
from infra.bench.sizes import FULL, SMALL, Sizes
from infra.bench.stand import Stand, stand
from infra.local.failure import told
from infra.local.screen import Screen
from infra.local.stack import ending_in_order

Benchmark = Callable[[Stand, Sizes], Result]

BENCHMARKS: Mapping[str, Benchmark] = {
    "calls": calls.benchmark,
    "deliver": deliver.benchmark,
    "naive": naive.benchmark,
    "callback": callback.benchmark,
    "wake": wake.benchmark,
    "search": search.benchmark,
    "growth": growth.benchmark,
    "memory": memory.benchmark,
    "cost": cost.benchmark,
}


def main() -> int:
    """0 where all was measured, whether or not it reached what it is to reach."""
    names, small = _asked_for()
    console = Console(highlight=False, soft_wrap=True)
    screen = Screen(console)
    with ending_in_order(), stand(screen) as standing:
        results = _measured(names, standing, SMALL if small else FULL, console)
    print_targets(console, results)
    if small:
        screen.say("Tried out in small: nothing is written.")
    elif results:
        screen.say(f"Written: {write_document(results, list(BENCHMARKS))}")
    screen.say(f"{len(results)} of {len(names)} benchmarks were measured.")
    return 0 if len(results) == len(names) else 1


def _asked_for() -> tuple[Sequence[str], bool]:
    parser = argparse.ArgumentParser(prog="python -m infra.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--small", action="store_true", help="small sizes; nothing is written")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    return given.names or list(BENCHMARKS), given.small


def _measured(
    names: Sequence[str], standing: Stand, sizes: Sizes, console: Console
) -> list[Result]:
    """One that fails keeps no other from being measured."""
    results = []
    for name in names:
        began = time.monotonic()
        try:
            result = BENCHMARKS[name](standing, sizes)
        except Exception:
            console.print(f"{name} failed:", markup=False)
            traceback.print_exc()
            continue
        results.append(result)
        print_result(console, result)
        standing.screen.say(f"{name} took {time.monotonic() - began:.0f} s.")
    return results


if __name__ == "__main__":
    sys.exit(told(main))
