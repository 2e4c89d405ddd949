"""The faults of the simulated sites, as documents of the control endpoint."""

from random import Random
from typing import Any

from infra.chaos.tags import (
    BARRED,
    CRASHING,
    CUT,
    CUT_AFTER,
    PAGED,
    REFUSED,
    REFUSED_AT_TIMES,
    REFUSES_REQUEST,
    REFUSES_REQUEST_AT_TIMES,
    WALLED,
    while_troubled,
)

Fault = dict[str, Any]

REFUSAL = "The chaos run refuses this one."
TOO_LARGE = "Data is too large"
_PAGE = "<!doctype html><title>Stop</title><p>A proxy blocks this Jira.</p>"

# The fault of every request that contains an entity with the tag.
_POISONS: dict[str, Fault] = {
    WALLED: {"kind": "error", "status": 403, "body": _PAGE},
    PAGED: {"kind": "error", "status": 400, "body": _PAGE},
    BARRED: {"kind": "forbidden"},
    CRASHING: {"kind": "error", "status": 500},
    CUT: {"kind": "drop before"},
    CUT_AFTER: {"kind": "drop after"},
}
# The prefixes of the reasons of the resulting debts.
REASONS = (
    "Something other than Jira answered 403",
    "Something other than Jira answered 400",
    "Jira answered 403: The app may not do this.",
    "Jira answered 500: Something went wrong (500).",
    "Jira gave no answer: ",
)
# At every site, throughout the run.
ALWAYS: list[Fault] = [
    *(fault | {"pattern": f"{tag}$"} for tag, fault in _POISONS.items()),
    {"kind": "refuse entity", "pattern": f"{REFUSED}$", "message": REFUSAL},
    {"kind": "refuse request", "pattern": f"{REFUSES_REQUEST}$", "message": REFUSAL},
]
# At every site, until the trouble ends.
WHILE_TROUBLED: list[Fault] = [
    fault | {"pattern": f"{while_troubled(tag)}$"} for tag, fault in _POISONS.items()
]
_STATUSES = (500, 502, 503, 504, 404, 418)
_STATUSES_OF_PAGES = (200, 202, 400, 401, 403, 404, 413, 500, 502, 503)
_OTHER_DOCUMENTS = ({"status": "maintenance"}, {"errorMessages": ["Come back later."]})


def troubles(rng: Random) -> list[Fault]:
    """Draws one fault, or two at a time."""
    menu = _menu(rng)
    return rng.sample(menu, rng.choice((1, 1, 2)))


def name_of(fault: Fault) -> str:
    """The fault's name in the counts."""
    return f"page {fault['status']}" if fault.get("body") == _PAGE else str(fault["kind"])


def _menu(rng: Random) -> list[Fault]:
    rate = rng.choice((0.2, 0.6, 1.0))
    after = str(rng.choice((1, 5, 30, 300, 3000)))
    page = {"kind": "error", "rate": rate, "body": _PAGE}
    return [
        {"kind": "rate limit", "rate": rate, "retryAfter": after},
        {"kind": "rate limit", "rate": rate},
        {"kind": "rate limit", "rate": rate, "retryAfter": "soon"},
        {"kind": "bucket", "capacity": 3, "perSecond": 2},
        {"kind": "bucket", "capacity": 2, "perSecond": 1, "retryAfter": False},
        {"kind": "error", "rate": rate, "status": rng.choice(_STATUSES)},
        {"kind": "error", "rate": rate, "status": 503, "retryAfter": after},
        *(page | {"status": status} for status in rng.sample(_STATUSES_OF_PAGES, 3)),
        {
            "kind": "error",
            "rate": rate,
            "status": rng.choice((200, 202)),
            "body": rng.choice(_OTHER_DOCUMENTS),
        },
        {"kind": "slow", "rate": rate, "seconds": 0.15},
        {"kind": "drop before", "rate": rate},
        {"kind": "drop after", "rate": rate},
        {"kind": "hang", "rate": rate, "times": 2},
        {
            "kind": "trickle",
            "rate": rate,
            "times": 2,
            "seconds": 0.2,
            "part": rng.choice(("headers", "body")),
        },
        {"kind": "too large", "bytes": rng.choice((20_000, 100_000, 300_000))},
        {
            "kind": "oversized",
            "rate": rate,
            "bytes": rng.choice((100_000, 6_000_000)),
            "gzip": rng.random() < 0.5,
        },
        {"kind": "cookie", "rate": rate},
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
