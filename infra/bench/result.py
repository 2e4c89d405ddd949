"""A benchmark's result: figures of repeated runs, tables and targets."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

TIMES = "×"  # noqa: RUF001 - the multiplication sign is intended


@dataclass(frozen=True)
class Figure:
    """The median of the runs, with the lower and upper quartile."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """The median with its quartiles; without them if nothing varied."""
        if self.low == self.high:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"

    @property
    def times(self) -> str:
        """The figure as a factor."""
        return f"{self} {TIMES}"


def figure(values: Sequence[float]) -> Figure:
    """The figure of these values, at least one."""
    if len(values) == 1:
        return exact(values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(median, low, high)


def exact(value: float) -> Figure:
    """A figure without spread."""
    return Figure(value, value, value)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that at least this percentage of them does not exceed."""
    return sorted(values)[max(math.ceil(len(values) * percent / 100) - 1, 0)]


def ratio(values: Sequence[float], others: Sequence[float]) -> Figure:
    """Ratios of the same round, so that a slow moment of the machine affects both values."""
    return figure([one / other for one, other in zip(values, others, strict=True)])


def number(value: float) -> str:
    """Formats with three significant digits."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if float(text) == int(float(text)) else text


@dataclass(frozen=True)
class Table:
    """A table with formatted cells; the title may be empty."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Target:
    """A target with its measured figure; `met` is None if a peer is not installed."""

    what: str
    measured: str
    limit: str
    met: bool | None


def at_most(what: str, measured: Figure | None, limit: float, unit: str = TIMES) -> Target:
    """A target that is met if the median is at most `limit`; `measured` None is not measured."""
    return _target(what, measured, "≤", limit, unit)


def at_least(what: str, measured: Figure | None, limit: float, unit: str = TIMES) -> Target:
    """A target that is met if the median is at least `limit`; `measured` None is not measured."""
    return _target(what, measured, "≥", limit, unit)


def _target(what: str, measured: Figure | None, sign: str, limit: float, unit: str) -> Target:
    bound = f"{sign} {number(limit)} {unit}"
    if measured is None:
        return Target(what, "not installed here", bound, None)
    median = measured.median
    return Target(
        what, f"{measured} {unit}", bound, median <= limit if sign == "≤" else median >= limit
    )


@dataclass(frozen=True)
class Result:
    """The tables and targets of one benchmark."""

    tables: Sequence[Table]
    targets: Sequence[Target] = ()
