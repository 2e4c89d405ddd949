"""Measures times: of one piece of work, or of several ways to do the same in turns."""

import gc
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Measured = TypeVar("Measured")
# Seconds: `wall` of the clock, `cpu` of this process alone.
Seconds = dict[str, float]


def spent(work: Callable[[], object]) -> Seconds:
    """Runs the work after a garbage collection and returns its seconds."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def by_turns(
    ways: Mapping[str, Callable[[int], Measured]], rounds: int, warm_up: int = 1
) -> dict[str, list[Measured]]:
    """Calls each way once per round, with the round's number; warm-up rounds are left out."""
    found: dict[str, list[Measured]] = {name: [] for name in ways}
    for round_ in range(rounds + warm_up):
        for name, way in ways.items():
            measured = way(round_)
            if round_ >= warm_up:
                found[name].append(measured)
    return found
