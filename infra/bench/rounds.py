"""Two or more ways to do the same, by turns, each timed."""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial


@dataclass
class Spent:
    """Seconds of the clock, and of this process's own work; work of others is not in `cpu`."""

    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Spent:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def by_turns(
    ways: Mapping[str, Callable[[int], object]], rounds: int, warm_up: int = 1
) -> dict[str, list[dict[str, float]]]:
    """Each way is called with the number of its round; the first ones are not counted."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for number in range(rounds + warm_up):
        for name, way in ways.items():
            taken = spent(partial(way, number))
            if number >= warm_up:
                found[name].append(asdict(taken))
    return found
