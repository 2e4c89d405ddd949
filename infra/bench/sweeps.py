"""The sweeper's requests to DynamoDB per site, and how many sites it can sweep in its time."""

from collections import Counter
from dataclasses import dataclass

from infra.bench.aws_calls import watch
from infra.bench.stand import Stand
from infra.harness.latencies import LATENCIES
from infra.lambdas.runtime import Context, load
from infra.lambdas.template import timeout_of


@dataclass(frozen=True)
class Swept:
    """Requests to DynamoDB per site without trouble, and their seconds with AWS's latencies."""

    requests: float
    seconds: float

    @property
    def sites_max(self) -> int:
        """How many sites one sweep reaches before the function's timeout."""
        return int(timeout_of("sweeper") / self.seconds)


def swept(stand: Stand, more: int) -> Swept:
    """Sweeps all sites of the stand, then once more with more sites; the difference is theirs."""
    before: dict[str, int] = stand.run("sweeps:measure")
    for _ in range(more):
        stand.place("sweep")
    after: dict[str, int] = stand.run("sweeps:measure")
    each = {name: (after[name] - before.get(name, 0)) / more for name in after}
    seconds = sum(
        count * LATENCIES[name].typical() / 1000
        for name, count in each.items()
        if name.startswith("dynamodb.")
    )
    requests = sum(count for name, count in each.items() if name.startswith("dynamodb."))
    return Swept(requests, seconds)


def measure() -> dict[str, int]:
    """The requests of one sweep by operation, in a new process."""
    counts: Counter[str] = Counter()
    watch(lambda name, _: counts.update([name]))
    load("sweeper").handler({}, Context())
    return counts
