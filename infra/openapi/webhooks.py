"""OpenAPI's `webhooks`: the calls that Relay makes to a workspace's webhook."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from infra.openapi.operation import JSON
from infra.openapi.operations import texts
from infra.openapi.schemas import inline, reference
from infra.openapi.shapes import SHAPES

_HEADERS = {
    "webhook-id": (
        Annotated[str, Field(pattern="^[0-9a-f]{32}$")],
        "The notice's id; it stays the same when the notice is sent again.",
    ),
    "webhook-timestamp": (
        Annotated[str, Field(pattern="^[0-9]+$")],
        "When this attempt was made, in epoch seconds.",
    ),
    "webhook-signature": (
        Annotated[str, Field(pattern="^v1,[A-Za-z0-9+/]{43}=$")],
        "`v1,` and, in base64, the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`. Its "
        "key is the base64 after `whsec_` in the webhook's secret.",
    ),
}


def notices() -> dict[str, type]:
    """The shape of each notice, by its event."""
    return {event: SHAPES[one["shape"]] for event, one in texts()["webhooks"].items()}


def webhooks() -> dict[str, Any]:
    """OpenAPI's `webhooks`, by the event's name."""
    return {event: {"post": _call(event, one)} for event, one in texts()["webhooks"].items()}


def _call(event: str, one: Mapping[str, Any]) -> dict[str, Any]:
    notice = {
        "type": event,
        "timestamp": "2026-01-31T09:45:00.512000+00:00",
        "data": one["data"],
    }
    content = {
        "schema": reference(SHAPES[one["shape"]]),
        "examples": {"notice": {"value": notice}},
    }
    return {
        "operationId": one["id"],
        "tags": ["Catalog"],
        "summary": one["summary"],
        "description": one["description"],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": description,
                "schema": inline(schema),
            }
            for name, (schema, description) in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {
            "2XX": {"description": "The notice is delivered. Relay does not read the body."},
            "default": {"description": one["failure"]},
        },
    }
