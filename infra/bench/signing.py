"""Tokens of Jira's calls of the app and of the app's calls of Jira."""

import time
from typing import Any

import httpx
import jwt

from infra.harness.stage import APP_KEY
from relay.jira.canonical_request import query_string_hash
from relay.jira.credentials import ConnectCredential

BULK = "/rest/operations/1.0/bulk"
_LIFETIME_SECONDS = 15 * 60


def signed(
    place: dict[str, str], method: str, path: str, query: str, body: str = ""
) -> dict[str, Any]:
    """A call of Jira, `{method, url, headers, body}`, signed by the place's site."""
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


def authorization(place: dict[str, str]) -> str:
    """The header `Authorization` for a submission to the place's site, valid for three minutes."""
    credential = ConnectCredential(APP_KEY, place["client_key"], place["base_url"], place["secret"])
    request = httpx.Request("POST", place["base_url"] + BULK)
    return next(credential.auth_flow(request)).headers["Authorization"]
