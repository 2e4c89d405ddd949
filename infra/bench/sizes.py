"""The sizes of the benchmarks: in full, or just enough to check that every benchmark runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """`records` and `containers` are sizes of the tables, in items.

    `large_messages` and `small_messages` are numbers of full messages, of the largest and of the
    smallest entities.
    """

    rounds: int = 9
    entities: int = 1000
    singles: int = 200
    naive_rounds: int = 5
    naive_singles: int = 40
    calls: int = 1000
    callbacks: int = 1000
    wakes: int = 5
    records: tuple[int, ...] = (1_000, 10_000, 100_000)
    containers: tuple[int, ...] = (1_000, 10_000, 100_000)
    searches: int = 40
    event_bytes: int = 6_000_000
    large_messages: int = 25
    small_messages: int = 4
    large_record: int = 100


FULL = Sizes()
SMALL = Sizes(
    rounds=2,
    entities=200,
    singles=20,
    naive_rounds=2,
    naive_singles=5,
    calls=200,
    callbacks=50,
    wakes=1,
    records=(200, 400),
    containers=(200, 400),
    searches=4,
    event_bytes=300_000,
    large_messages=2,
    small_messages=1,
    large_record=15,
)
