"""The sizes of the benchmarks: in full, or just enough to check that every benchmark runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FreshSizes:
    """`at_once` incidents come together, `rounds` times; `rate` a second for `seconds`.

    Another workspace imports `imported` incidents, of which `import_seconds` are observed. The
    other batching window is compared on `window_at_rest` incidents and for `window_seconds`.
    """

    at_rest: int = 12
    at_once: int = 1000
    rounds: int = 3
    rate: int = 100
    seconds: int = 60
    imported: int = 50_000
    import_seconds: int = 20
    window_at_rest: int = 6
    window_seconds: int = 10


@dataclass(frozen=True)
class Sizes:
    """`records` and `containers` are sizes of the tables, in items; `replays` those of the records
    that are replayed against the simulator, `large` that of the record that `scale` replays.

    `simulations` are the runs of each flood, `site_counts` how many numbers of sites are simulated,
    `swept` the sites that are swept. `large_messages` and `small_messages` are numbers of full
    messages, of the largest and of the smallest entities.
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
    replays: tuple[int, ...] = (1_000, 10_000)
    containers: tuple[int, ...] = (1_000, 10_000, 100_000)
    searches: int = 40
    event_bytes: int = 6_000_000
    large_messages: int = 25
    small_messages: int = 4
    large_record: int = 100
    latency_rounds: int = 5
    fresh: FreshSizes = FreshSizes()
    throughput_seconds: float = 20
    large: int = 1_000_000
    simulations: int = 20
    site_counts: int = 3
    swept: int = 10


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
    replays=(200, 400),
    containers=(200, 400),
    searches=4,
    event_bytes=300_000,
    large_messages=2,
    small_messages=1,
    large_record=15,
    latency_rounds=2,
    fresh=FreshSizes(
        at_rest=2,
        at_once=50,
        rounds=1,
        rate=10,
        seconds=2,
        imported=1000,
        import_seconds=2,
        window_at_rest=1,
        window_seconds=2,
    ),
    throughput_seconds=3,
    large=2_000,
    simulations=2,
    site_counts=1,
    swept=2,
)
