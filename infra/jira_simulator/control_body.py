"""The bodies of control calls: checked JSON objects."""

from typing import Any

from starlette.requests import Request

from .json_body import parse_json
from .validation import Rule


def body_rule(*required: str, properties: dict[str, Any]) -> Rule:
    """A rule for an object that may have these properties only; `required` names mandatory ones."""
    return Rule(
        {
            "type": "object",
            "additionalProperties": False,
            "required": list(required),
            "properties": properties,
        }
    )


async def read_body(request: Request, rule: Rule) -> dict[str, Any]:
    """Returns the body's object; an empty body counts as `{}`. Raises a Refusal (400)."""
    document = parse_json(await request.body() or b"{}")
    rule.require(document)
    return dict(document)
