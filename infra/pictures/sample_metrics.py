"""A day of sample values for the dashboard's metrics: nothing was measured.

One site is slowed in the morning and recovers; one source refuses every call from the evening on.
"""

import math
from random import Random

from infra.lambdas.dashboard import Line

HOURS = 24
SLOWED = range(9, 12)
CAUGHT_UP = 12
REFUSING_FROM = 21
FAILED_AT = 14
SWEEPS_PER_HOUR = 12.0
IN_ALARM = {"SourcesAlarm"}

# The level at noon of what follows the working day.
_DAILY = {
    "EntitiesDelivered": 5200.0,
    "EntitiesRejected": 14.0,
    "SourceCallsTaken": 640.0,
    "SourceCallsIgnored": 210.0,
    "Count": 480.0,
    "4xx": 6.0,
    "RefusedCalls": 5.0,
    "ConcurrentExecutions": 11.0,
    "ApproximateAgeOfOldestMessage": 4.0,
}
_DURATIONS = {"p50": 1.0, "p99": 6.0}
_SLOW_FUNCTIONS = {"submitter": 190.0, "replayer": 260.0, "sweeper": 120.0, "webhooks": 80.0}
_LATENCY = 34.0


def values(line: Line) -> list[float | None]:
    """One value for each hour of the day; None where CloudWatch has none.

    The same line has the same values each time.
    """
    rng = Random(f"{line.name} {line.label} {line.stat}")  # noqa: S311 (sample data)
    return [_value(line, hour, rng) for hour in range(HOURS)]


def cold_starts(function: str) -> list[int]:
    """The number of a function's cold starts, and the median and p99 of their durations in ms."""
    rng = Random(function)  # noqa: S311 (sample data)
    median = rng.randrange(380, 520)
    return [rng.randrange(2, 40), median, median + rng.randrange(40, 260)]


def _value(line: Line, hour: int, rng: Random) -> float | None:
    noise = rng.uniform(0.85, 1.15)
    if line.namespace == "Relay":
        return _of_relay(line.name, hour, noise)
    if line.name == "Invocations":
        return SWEEPS_PER_HOUR
    if line.name == "Errors":
        return float(line.label == "webhooks" and hour == FAILED_AT)
    if line.name == "Duration":
        base = _SLOW_FUNCTIONS.get(line.label, 12.0 + len(line.label))
        return base * _DURATIONS[line.stat] * noise
    if line.name == "Latency":
        return _LATENCY * _DURATIONS[line.stat] * noise
    return _daily(line.name, hour) * noise


def _of_relay(name: str, hour: int, noise: float) -> float | None:
    """None instead of 0, which Relay does not send."""
    slowed, refusing = hour in SLOWED, hour >= REFUSING_FROM
    if name in {"SitesSlowed", "ReplaysWaiting"}:
        return 1.0 if slowed else None
    if name == "EntitiesOwed":
        return _daily("EntitiesDelivered", hour) * 0.3 * noise if slowed else None
    if name == "SourcesRefusing":
        return 1.0 if hour > REFUSING_FROM else None
    if name == "SourceCallsRefused":
        return 45 * noise if refusing else None
    missed = 0.7 if slowed else 1.6 if hour == CAUGHT_UP else 1.0
    return _daily(name, hour) * noise * (missed if name == "EntitiesDelivered" else 1.0) or None


def _daily(name: str, hour: int) -> float:
    """Low at night, high at noon."""
    return _DAILY.get(name, 0.0) * (0.55 - 0.45 * math.cos(2 * math.pi * hour / HOURS))
