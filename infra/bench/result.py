"""What a benchmark found, as it is printed, kept, and written into the document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from infra.bench.figures import Figure

TIMES = "×"  # noqa: RUF001 (it is what it looks like)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Target:
    """`met` is None where there is nothing to compare, as a peer is not here."""

    what: str
    measured: str
    to_reach: str
    met: bool | None


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    low: float
    high: float
    ours: bool = False


@dataclass(frozen=True)
class Bars:
    """Written to `<name>.svg`."""

    name: str
    title: str
    unit: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Lines:
    """`series` are the values at each of `x`, which grow by a factor each."""

    name: str
    title: str
    unit: str
    across: str
    x: Sequence[float]
    series: dict[str, Sequence[float]]


@dataclass(frozen=True)
class Result:
    """`about` says how it was measured; `facts` are figures that other benchmarks go on from."""

    name: str
    title: str
    about: str
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    bars: Sequence[Bars] = ()
    lines: Sequence[Lines] = ()
    notes: Sequence[str] = ()
    facts: dict[str, float] = field(default_factory=dict)
    day: str = field(default_factory=_today)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(
            **document
            | {
                "tables": [Table(**one) for one in document["tables"]],
                "targets": [Target(**one) for one in document["targets"]],
                "bars": [
                    Bars(**one | {"bars": [Bar(**bar) for bar in one["bars"]]})
                    for one in document["bars"]
                ],
                "lines": [Lines(**one) for one in document["lines"]],
            }
        )


def at_most(what: str, measured: Figure | None, limit: float, unit: str = TIMES) -> Target:
    return _target(what, measured, limit, unit, "≤", lambda value: value <= limit)


def at_least(what: str, measured: Figure | None, limit: float, unit: str = TIMES) -> Target:
    return _target(what, measured, limit, unit, "≥", lambda value: value >= limit)


def _target(
    what: str, measured: Figure | None, limit: float, unit: str, sign: str, holds: Any
) -> Target:
    to_reach = f"{sign} {number(limit)} {unit}"
    if measured is None:
        return Target(what, "not measured: not installed here", to_reach, None)
    return Target(what, f"{spread(measured)} {unit}", to_reach, holds(measured.median))


def spread(found: Figure) -> str:
    """The median with its quartiles; alone where nothing varied."""
    if found.low == found.high:
        return number(found.median)
    return f"{number(found.median)} ({number(found.low)} to {number(found.high)})"


def in_times(found: Figure) -> str:
    return f"{spread(found)} {TIMES}"


def number(value: float) -> str:
    """Three digits that count, and no more."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if float(text) == int(float(text)) else text


def bar(label: str, found: Figure, ours: bool = False) -> Bar:
    return Bar(label, found.median, found.low, found.high, ours)
