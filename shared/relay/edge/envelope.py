"""Answers to the page under Forge, whose proxy passes on JSON with a status of 2xx, and no status.

So the page asks with a header for an envelope: 200, and Relay's own status and body within.
"""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.edge.http import HttpFunction

ENVELOPE_HEADER = "x-relay-envelope"
_UNAUTHORIZED = 401


class EnvelopeFunction(HttpFunction):
    """An HttpFunction that answers `{"status", "body"}` to calls with the header.

    `body` is the answer's JSON, null if it has none. Refusals of a caller that is not proven, and
    files, are unchanged.
    """

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        answer = super().__call__(event, context)
        if ENVELOPE_HEADER not in event.get("headers", {}) or not _fits(event, answer):
            return answer
        body = json.loads(answer["body"] or "null")
        document = {"status": answer["statusCode"], "body": body}
        return answer | {
            "statusCode": 200,
            "headers": answer["headers"] | {"Content-Type": "application/json"},
            "body": json.dumps(document, ensure_ascii=False),
        }


def _fits(event: dict[str, Any], answer: dict[str, Any]) -> bool:
    if event["requestContext"]["http"]["method"] == "HEAD":
        return False
    media_type: str = answer["headers"].get("Content-Type", "application/json")
    status: int = answer["statusCode"]
    return media_type == "application/json" and status != _UNAUTHORIZED
