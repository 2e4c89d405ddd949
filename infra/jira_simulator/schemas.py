"""Jira's schemas for what an app submits, read from its REST documentation.

Atlassian's own request schema is an `anyOf` that `{}` satisfies; Jira checks each entity for
itself. So there is a rule for the request as a whole (400) and one per entity (a failed id).
Lengths count Unicode code points. An unknown field is refused at every level.
"""

from enum import StrEnum
from typing import Any

from .validation import Rule

MOST_ENTITIES = 1000


class Kind(StrEnum):
    INCIDENT = "incident"
    REVIEW = "review"

    @property
    def collection(self) -> str:
        """The key of the submission that carries this kind."""
        return f"{self.value}s"


def _text(most: int, least: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most, **more}


def _closed(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    """An object of exactly these properties, all required but the optional ones."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _array(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


_ASSOCIATIONS = _array(
    _closed(
        {
            "associationType": {
                "enum": ["issueIdOrKeys", "serviceIdOrKeys", "ati:cloud:compass:event-source"]
            },
            "values": {"type": "array", "items": {"type": "string"}},
        }
    ),
    most=100,
)

_COMMON: dict[str, Any] = {
    "schemaVersion": {"const": "1.0"},
    "id": _text(255, least=1),
    "updateSequenceNumber": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "summary": _text(255),
    "description": _text(5000),
    "url": _text(2000, format="uri"),
    "createdDate": {"type": "string", "format": "date-time"},
    "lastUpdated": {"type": "string", "format": "date-time"},
    "associations": _ASSOCIATIONS,
}

_INCIDENT = _closed(
    {
        **_COMMON,
        "affectedComponents": _array({"type": "string"}, most=100),
        "severity": _closed({"level": {"enum": ["P1", "P2", "P3", "P4", "P5", "unknown"]}}),
        "status": {"enum": ["open", "resolved", "unknown"]},
    },
    "severity",
    "associations",
)

_REVIEW = _closed(
    {
        **_COMMON,
        "reviews": _array({"type": "string"}, most=100),
        "status": {"enum": ["in progress", "outstanding actions", "completed", "unknown"]},
    },
    "associations",
)

_PROPERTIES = {
    "type": "object",
    "maxProperties": 5,
    "propertyNames": {"maxLength": 255, "pattern": "^[^_:][^:]*$"},
    "additionalProperties": _text(255),
}

# An entity without an id can't be named among the failed ones: the request as a whole is wrong.
_ENTITIES = _array(
    {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    most=MOST_ENTITIES,
)

SUBMISSION = Rule(
    _closed(
        {
            "incidents": _ENTITIES,
            "reviews": _ENTITIES,
            "properties": _PROPERTIES,
            "providerMetadata": _closed({"product": {"type": "string"}}, "product"),
        },
        "incidents",
        "reviews",
        "properties",
        "providerMetadata",
    )
)
ENTITY = {Kind.INCIDENT: Rule(_INCIDENT), Kind.REVIEW: Rule(_REVIEW)}
PROPERTIES = Rule(_PROPERTIES)
WORKSPACES = Rule(_closed({"workspaceIds": _array({"type": "string", "minLength": 1}, most=100)}))
