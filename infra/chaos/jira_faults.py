"""The trouble that a site of the simulator may be in, as its control endpoint takes it."""

from random import Random
from typing import Any

from infra.chaos.ledger import (
    REFUSED,
    REFUSED_AT_TIMES,
    REFUSES_REQUEST,
    REFUSES_REQUEST_AT_TIMES,
)

Fault = dict[str, Any]

REFUSAL = "The chaos run refuses this one."
# At every site, all the time.
ALWAYS: list[Fault] = [
    {"kind": "refuse entity", "pattern": f"{REFUSED}$", "message": REFUSAL},
    {"kind": "refuse request", "pattern": f"{REFUSES_REQUEST}$", "message": REFUSAL},
]
_STATUSES = (500, 502, 503, 504, 404, 418)


def troubles(lots: Random) -> list[Fault]:
    """One kind of trouble, or two at once."""
    menu = _menu(lots)
    return lots.sample(menu, lots.choice((1, 1, 2)))


def _menu(lots: Random) -> list[Fault]:
    rate = lots.choice((0.2, 0.6, 1.0))
    after = str(lots.choice((1, 5, 30, 300, 3000)))
    return [
        {"kind": "rate limit", "rate": rate, "retryAfter": after},
        {"kind": "rate limit", "rate": rate},
        {"kind": "rate limit", "rate": rate, "retryAfter": "soon"},
        {"kind": "bucket", "capacity": 3, "perSecond": 2},
        {"kind": "bucket", "capacity": 2, "perSecond": 1, "retryAfter": False},
        {"kind": "error", "rate": rate, "status": lots.choice(_STATUSES)},
        {"kind": "error", "rate": rate, "status": 503, "retryAfter": after},
        {"kind": "error", "rate": rate, "status": 500, "body": "<p>Not JSON</p>"},
        {"kind": "slow", "rate": rate, "seconds": 0.15},
        {"kind": "drop before", "rate": rate},
        {"kind": "drop after", "rate": rate},
        {"kind": "hang", "rate": rate, "times": 2},
        {"kind": "too large", "bytes": lots.choice((20_000, 100_000, 300_000))},
        {
            "kind": "refuse entity",
            "pattern": f"{REFUSED_AT_TIMES}$",
            "rate": rate,
            "message": REFUSAL,
        },
        {
            "kind": "refuse request",
            "pattern": f"{REFUSES_REQUEST_AT_TIMES}$",
            "message": REFUSAL,
        },
        {"kind": "unnamed", "rate": rate / 4},
        {"kind": "unreadable", "rate": rate},
        {"kind": "unknown keys"},
        {"kind": "redirect", "rate": rate},
        {"kind": "suspended"},
        {"kind": "forbidden"},
    ]
