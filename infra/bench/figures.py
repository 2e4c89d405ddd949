"""Figures of repeated runs: the median, and how far they lie apart."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """The median of the runs, and the lower and upper quartile."""

    median: float
    low: float
    high: float
    runs: int

    @property
    def spread(self) -> float:
        """The distance between the quartiles, as a part of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def figure(values: Sequence[float]) -> Figure:
    """Of one value at least."""
    if len(values) == 1:
        return Figure(values[0], values[0], values[0], 1)
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(median, low, high, len(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Of runs that were made by turns: each of ours to theirs of the same turn, so that what slows
    the machine for a while slows both."""
    return figure([one / other for one, other in zip(ours, theirs, strict=True)])
