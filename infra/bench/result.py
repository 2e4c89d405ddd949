"""What a benchmark found: figures of repeated runs, tables of them, and targets."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

TIMES = "×"  # noqa: RUF001 - it is what it looks like


@dataclass(frozen=True)
class Figure:
    """The median of the runs, and the lower and upper quartile."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """The median with its quartiles; alone where nothing varied."""
        if self.low == self.high:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"

    @property
    def times(self) -> str:
        return f"{self} {TIMES}"


def figure(values: Sequence[float]) -> Figure:
    """At least one value."""
    if len(values) == 1:
        return exact(values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(median, low, high)


def exact(value: float) -> Figure:
    return Figure(value, value, value)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Each of ours to theirs of the same round, so that a slow moment of the machine slows both."""
    return figure([one / other for one, other in zip(ours, theirs, strict=True)])


def number(value: float) -> str:
    """Three significant digits."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if float(text) == int(float(text)) else text


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Target:
    """`met` is None where a peer is not installed."""

    what: str
    measured: str
    limit: str
    met: bool | None


def at_most(what: str, measured: Figure, limit: float, unit: str = TIMES) -> Target:
    met = measured.median <= limit
    return Target(what, f"{measured} {unit}", f"≤ {number(limit)} {unit}", met)


def at_least(what: str, measured: Figure | None, limit: float) -> Target:
    if measured is None:
        return Target(what, "not installed here", f"≥ {number(limit)} {TIMES}", None)
    met = measured.median >= limit
    return Target(what, measured.times, f"≥ {number(limit)} {TIMES}", met)


@dataclass(frozen=True)
class Result:
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
