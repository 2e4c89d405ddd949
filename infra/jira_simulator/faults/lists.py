"""The current faults of each site and of all sites."""

import time
from random import Random
from typing import Any

from ..operations import ALL_OPERATIONS
from ..sites import Site
from ..validation import Rule
from . import answers, connections, entities
from .fault import Course, Fault

KINDS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        answers.RateLimit,
        answers.Bucket,
        answers.Error,
        connections.Slow,
        connections.DropBefore,
        connections.DropAfter,
        connections.Hang,
        connections.Trickle,
        answers.TooLarge,
        entities.RefuseEntity,
        entities.RefuseRequest,
        entities.Lose,
        entities.Unnamed,
        answers.Unreadable,
        answers.UnknownKeys,
        answers.Oversized,
        answers.Cookie,
        answers.Redirect,
        answers.Suspended,
        answers.RevokedSecret,
        answers.Forbidden,
    )
}

_REGEX = {"type": "string", "format": "regex"}
_EVERY_FAULT: dict[str, Any] = {
    "kind": {},
    "rate": {"type": "number", "minimum": 0, "maximum": 1},
    "times": {"type": "integer", "minimum": 1},
    "operations": {
        "type": "array",
        "minItems": 1,
        "items": {"enum": [operation.name for operation in ALL_OPERATIONS]},
    },
    "ids": {"type": "array", "items": {"type": "string"}},
    "pattern": _REGEX,
    "text": _REGEX,
}


def _of_kind(fault: type[Fault]) -> dict[str, Any]:
    """A schema for faults of this kind; it accepts faults of other kinds."""
    return {
        "if": {"properties": {"kind": {"const": fault.kind}}},
        "then": {
            "additionalProperties": False,
            "required": list(fault.required),
            "properties": _EVERY_FAULT | fault.schema,
        },
    }


# `{"seed"?, "faults": [{"kind", …}]}`
_DOCUMENT = Rule(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["faults"],
        "properties": {
            "seed": {"type": "integer"},
            "faults": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["kind"],
                    "properties": {"kind": {"enum": list(KINDS)}},
                    "allOf": [_of_kind(fault) for fault in KINDS.values()],
                },
            },
        },
    }
)


class FaultList:
    """One document, and its faults per site, each with its own random numbers, counts and tokens.

    Random numbers are seeded with the document's seed, the fault's position and, if `salted`, the
    site's name.
    """

    def __init__(self, document: dict[str, Any], salted: bool = False) -> None:
        self._seed: int = document.get("seed", 0)
        self._faults: list[dict[str, Any]] = document["faults"]
        self._salted = salted
        self._set_at = time.monotonic()
        self._at: dict[str, list[Fault]] = {}

    def document(self) -> dict[str, Any]:
        """The list with its seed."""
        return {"seed": self._seed, "faults": self._faults}

    def at(self, site: Site) -> list[Fault]:
        """The faults at this site, which keep their state between calls."""
        if site.name not in self._at:
            self._at[site.name] = self._new_faults(site.name if self._salted else "")
        return self._at[site.name]

    def _new_faults(self, salt: str) -> list[Fault]:
        return [
            KINDS[fault["kind"]](
                fault,
                Random(f"{self._seed}/{place}/{salt}"),  # noqa: S311
                self._set_at,
            )
            for place, fault in enumerate(self._faults)
        ]


_NONE = FaultList({"faults": []})


class Faults:
    """The lists of faults. A site's own list applies before that of all sites."""

    def __init__(self) -> None:
        self._everywhere = _NONE
        self._own: dict[str, FaultList] = {}

    def draw(self, course: Course) -> None:
        """Draws for every fault in order, up to the first that answers the call itself."""
        site = course.site
        for fault in (*self._own.get(site.name, _NONE).at(site), *self._everywhere.at(site)):
            fault.draw(course)
            if course.early is not None:
                break

    def document(self, site: Site | None) -> dict[str, Any]:
        """The list of a site; with None, that of all sites."""
        if site is None:
            return self._everywhere.document()
        return self._own.get(site.name, _NONE).document()

    def set(self, site: Site | None, document: Any) -> None:
        """Replaces and restarts a list. Raises a Refusal (400) if it is invalid."""
        _DOCUMENT.require(document)
        if site is None:
            self._everywhere = FaultList(document, salted=True)
        else:
            self._own[site.name] = FaultList(document)

    def end(self, site: Site | None) -> None:
        """Ends all faults of a site's list; with None, of the list for all sites."""
        if site is None:
            self._everywhere = _NONE
        else:
            self._own.pop(site.name, None)
