"""Calls as Jira signs them."""

import time
from typing import Any

import jwt

from relay.jira.canonical_request import query_string_hash

_LIFETIME_SECONDS = 15 * 60


def signed(
    place: dict[str, str], method: str, path: str, query: str, body: str = ""
) -> dict[str, Any]:
    """`{method, url, headers, body}`, with a token of the place's site."""
    now = int(time.time())
    claims = {
        "iss": place["client_key"],
        "iat": now,
        "exp": now + _LIFETIME_SECONDS,
        "qsh": query_string_hash(method, path, query),
    }
    token = jwt.encode(claims, place["secret"], algorithm="HS256")
    headers = {"authorization": f"JWT {token}", "content-type": "application/json"}
    return {"method": method, "url": f"{path}?{query}", "headers": headers, "body": body}
