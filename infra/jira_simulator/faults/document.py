"""A list of faults as the control endpoint takes it: `{"seed"?, "faults": [{"kind", …}]}`."""

from typing import Any

from ..operations import ALL_OPERATIONS
from ..validation import Rule
from .bucket import Bucket
from .connections import DropAfter, DropBefore, Hang, Slow
from .entities import Lose, RefuseEntity, RefuseRequest, Unnamed
from .fault import Fault
from .refusals import (
    Error,
    Forbidden,
    RateLimit,
    Redirect,
    RevokedSecret,
    Suspended,
    TooLarge,
)
from .wordings import UnknownKeys, Unreadable

KINDS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        RateLimit,
        Bucket,
        Error,
        Slow,
        DropBefore,
        DropAfter,
        Hang,
        TooLarge,
        RefuseEntity,
        RefuseRequest,
        Lose,
        Unnamed,
        Unreadable,
        UnknownKeys,
        Redirect,
        Suspended,
        RevokedSecret,
        Forbidden,
    )
}

_EVERY_FAULT: dict[str, Any] = {
    "kind": {},
    "rate": {"type": "number", "minimum": 0, "maximum": 1},
    "times": {"type": "integer", "minimum": 1},
    "operations": {
        "type": "array",
        "minItems": 1,
        "items": {"enum": [operation.name for operation in ALL_OPERATIONS]},
    },
}


def _of_kind(fault: type[Fault]) -> dict[str, Any]:
    """A schema for faults of this kind, which lets every other pass."""
    return {
        "if": {"properties": {"kind": {"const": fault.kind}}},
        "then": {
            "additionalProperties": False,
            "required": list(fault.required),
            "properties": _EVERY_FAULT | fault.schema,
        },
    }


FAULTS = Rule(
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
