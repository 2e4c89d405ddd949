"""Jira's schemas for submissions, after its REST documentation.

`{}` satisfies Atlassian's own request schema, an `anyOf`, and Jira checks each entity separately.
So there is one rule for the request as a whole (400) and one per entity (a failed id). Lengths
count Unicode code points. An unknown field is invalid at every level.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from .validation import Rule

MOST_ENTITIES = 1000


class Kind(StrEnum):
    """The kinds of entities that an app submits."""

    INCIDENT = "incident"
    REVIEW = "review"
    COMPONENT = "component"

    @property
    def plural(self) -> str:
        """`incidents`, `reviews` or `components`."""
        return f"{self.value}s"

    @property
    def collection(self) -> str:
        """The submission's key for entities of this kind."""
        return "devopsComponents" if self is Kind.COMPONENT else self.plural


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

_URI = _text(2000, format="uri")
_DATE_TIME = {"type": "string", "format": "date-time"}

_COMMON: dict[str, Any] = {
    "schemaVersion": {"const": "1.0"},
    "id": _text(255, least=1),
    "updateSequenceNumber": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "description": _text(5000),
    "url": _URI,
    "lastUpdated": _DATE_TIME,
}

_INCIDENT_OR_REVIEW: dict[str, Any] = {
    **_COMMON,
    "summary": _text(255),
    "createdDate": _DATE_TIME,
    "associations": _ASSOCIATIONS,
}

_INCIDENT = _closed(
    {
        **_INCIDENT_OR_REVIEW,
        "affectedComponents": _array({"type": "string"}, most=100),
        "severity": _closed({"level": {"enum": ["P1", "P2", "P3", "P4", "P5", "unknown"]}}),
        "status": {"enum": ["open", "resolved", "unknown"]},
    },
    "severity",
    "associations",
)

_REVIEW = _closed(
    {
        **_INCIDENT_OR_REVIEW,
        "reviews": _array({"type": "string"}, most=100),
        "status": {"enum": ["in progress", "outstanding actions", "completed", "unknown"]},
    },
    "associations",
)

_COMPONENT = _closed(
    {
        **_COMMON,
        "name": _text(255),
        "providerName": _text(255),
        "avatarUrl": _URI,
        "tier": {"enum": ["Tier 1", "Tier 2", "Tier 3", "Tier 4"]},
        "componentType": {
            "enum": [
                "Service",
                "Application",
                "Library",
                "Capability",
                "Cloud resource",
                "Data pipeline",
                "Machine learning model",
                "UI element",
                "Website",
                "Other",
            ]
        },
    },
    "providerName",
)

_PROPERTIES = {
    "type": "object",
    "maxProperties": 5,
    "propertyNames": {"maxLength": 255, "pattern": "^[^_:][^:]*$"},
    "additionalProperties": _text(255),
}

# The answer can't name an entity without an id, so the request as a whole is invalid.
_ENTITIES = _array(
    {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    most=MOST_ENTITIES,
)


def submission_rule(kinds: Iterable[Kind]) -> Rule:
    """The rule for a request with entities of these kinds, in any of their collections."""
    properties = {
        **{kind.collection: _ENTITIES for kind in kinds},
        "properties": _PROPERTIES,
        "providerMetadata": _closed({"product": {"type": "string"}}, "product"),
    }
    return Rule(_closed(properties, *properties))


ENTITY = {
    Kind.INCIDENT: Rule(_INCIDENT),
    Kind.REVIEW: Rule(_REVIEW),
    Kind.COMPONENT: Rule(_COMPONENT),
}
PROPERTIES = Rule(_PROPERTIES)
PERMISSIONS = Rule(
    _closed(
        {
            "accountId": {"type": "string", "minLength": 1},
            "globalPermissions": {"type": "array", "items": {"type": "string"}},
            "projectPermissions": {"type": "array"},
        },
        "globalPermissions",
        "projectPermissions",
    )
)
WORKSPACES = Rule(_closed({"workspaceIds": _array({"type": "string", "minLength": 1}, most=100)}))
