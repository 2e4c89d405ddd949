"""`make bench-scale`: what a flood does to others, many sites, and a record of a million."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from infra.bench import throughput
from infra.bench.large_replay import replayed_once
from infra.bench.result import (
    TIMES,
    Result,
    Table,
    Target,
    at_most,
    exact,
    figure,
    number,
    percentile,
)
from infra.bench.simulated_loads import Flood, freshness_of, quiet_beside, spread_over
from infra.bench.simulated_submitter import AS_THEY_ARRIVED, CURRENT, SIDE_BY_SIDE, Plan, settings
from infra.bench.simulation import Settings
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.sweeps import Swept, swept

_MB = 1_000_000
_IMPORTED = 50_000
# The rates of the table of many sites, with the seconds that each is simulated for.
_RATES = {1: 60, 100: 60, 10_000: 3}
_SITES = (10, 1_000, 100_000)
_RELAYS = "fair, the smallest first: Relay's"
# A throttle that nothing reaches.
_OPEN = 10_000_000


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Simulates the queue, and replays a large record."""
    stand.screen.say("scale: a quiet workspace beside a flood, simulated …")
    floods, flood_targets = _floods(sizes)
    stand.screen.say("scale: many sites, simulated …")
    tables = [floods, _many_sites(sizes), _sweep(swept(stand, sizes.swept))]
    replay, replay_targets = _replay(replayed_once(stand, sizes.large), sizes.large)
    one_workspace = throughput.measured(stand, sizes)
    return Result(
        [*one_workspace.tables, *tables, replay],
        [*one_workspace.targets, *flood_targets, *replay_targets],
    )


def _floods(sizes: Sizes) -> tuple[Table, list[Target]]:
    given = settings()
    runs = sizes.simulations
    rest = quiet_beside(None, given, runs)
    ways = {
        "one line, as they arrived": (replace(given, fair=False), AS_THEY_ARRIVED),
        "fair, as they arrived": (given, AS_THEY_ARRIVED),
        "one line, the smallest first": (replace(given, fair=False), CURRENT),
        _RELAYS: (given, CURRENT),
    }
    floods = [
        Flood(f"{number(_IMPORTED)} in submissions of 1,000", 1000, _IMPORTED // 1000),
        Flood(f"{number(_IMPORTED)} single submissions", 1, _IMPORTED, given.rate),
        Flood("10,000 a second for a minute, in submissions of 1,000", 1000, 600, 10),
    ]
    rows = [["nothing", _RELAYS, _seconds(rest, 50), _seconds(rest, 99), f"1 {TIMES}"]]
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    for flood in floods:
        for way, (asked, plan) in ways.items():
            # A flood of single submissions is slow to simulate, and lasts for all of the run.
            fewer = runs if flood.entities > 1 else max(1, runs // 8)
            fresh = quiet_beside(flood, asked, fewer, plan)
            ratios[way].append(percentile(fresh, 99) / percentile(rest, 99))
            growth = ratios[way][-1]
            times = "" if growth == math.inf else f"{number(growth)} {TIMES}"
            rows.append([flood.name, way, _seconds(fresh, 50), _seconds(fresh, 99), times])
    columns = (
        "the other workspace sends",
        "queue, and order in a batch",
        "p50, s",
        "p99, s",
        "p99 to at rest",
    )
    what = "p99 of a quiet workspace while another imports 50,000, to at rest"
    target = at_most(what, exact(max(ratios[_RELAYS][:2])), 1.5)
    return Table("Freshness of one incident a second", columns, rows), [target]


def _many_sites(sizes: Sizes) -> Table:
    given = settings()
    open_ = replace(given, rate=_OPEN, burst=_OPEN, concurrency=1000)
    ways = [(given, CURRENT), (open_, CURRENT), (open_, SIDE_BY_SIDE)]
    rows = []
    for sites in _SITES[: sizes.site_counts]:
        for rate, seconds in _RATES.items():
            cells = [
                cell for asked, plan in ways for cell in _one(sites, rate, seconds, asked, plan)
            ]
            rows.append([number(sites), number(rate), *cells])
    columns = ["sites", "incidents a second"]
    for way in ("", "raised: ", "raised, 16 at once: "):
        columns += [f"{way}p50, s", f"{way}p99, s"]
    return Table("Incidents over many sites", columns, rows)


def _one(sites: int, rate: int, seconds: int, given: Settings, plan: Plan) -> Iterator[str]:
    run = spread_over(sites, rate, given, seconds, plan)
    fresh = freshness_of(run.messages)
    refused = sum(run.refused.values()) > len(run.messages) / 100
    yield _seconds(fresh, 50) + (", 429" if refused else "")
    yield _seconds(fresh, 99)


def _sweep(found: Swept) -> Table:
    columns = ("requests to DynamoDB per site", "ms per site", "sites within the timeout")
    row = [number(found.requests), number(found.seconds * 1000), number(found.sites_max)]
    return Table("A sweep over sites without trouble", columns, [row])


def _seconds(fresh: list[float], percent: float) -> str:
    value = percentile(fresh, percent)
    return "later" if value == math.inf else number(value)


def _replay(found: dict[str, Any], count: int) -> tuple[Table, list[Target]]:
    cpu = [seconds * 1000 for seconds in found["cpu"]]
    tenth = max(1, len(cpu) // 10)
    first, last = figure(cpu[:tenth]), figure(cpu[-tenth:])
    per_page = 1000 / count
    row = [
        number(count),
        number(found["jira"]),
        number(found["dynamodb"] * per_page),
        number(found["peak"] / _MB),
        str(first),
        str(last),
    ]
    columns = (
        "record",
        "calls to Jira",
        "requests to DynamoDB per page",
        "MB at most",
        "CPU ms per page, first tenth",
        "last tenth",
    )
    return (
        Table("A replay of a whole record to a new site", columns, [row]),
        [
            at_most(
                "calls to Jira per 1,000 of a large record", exact(found["jira"] * per_page), 1
            ),
            at_most("memory of its replay", exact(found["peak"] / _MB), 256, "MB"),
            at_most("CPU per page, last tenth to first", exact(last.median / first.median), 1.1),
        ],
    )
