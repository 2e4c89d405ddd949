"""The bodies of control calls: checked JSON objects."""

from typing import Any

from starlette.requests import Request

from .json_body import parse_json
from .validation import Rule


def body_rule(*required: str, properties: dict[str, Any]) -> Rule:
    """For an object of exactly these properties, of which some are required."""
    return Rule(
        {
            "type": "object",
            "additionalProperties": False,
            "required": list(required),
            "properties": properties,
        }
    )


async def read_body(request: Request, rule: Rule) -> dict[str, Any]:
    """An empty body is an empty object."""
    document = parse_json(await request.body() or b"{}")
    rule.require(document)
    return dict(document)
