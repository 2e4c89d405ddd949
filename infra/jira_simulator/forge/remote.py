"""Calls from Forge to the app's remote: one request with its own token, and the answer."""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..app_calls import AppAnswer, new_client, send_request
from ..sites import Site
from .endpoints import Endpoint
from .installation import ForgeInstallation
from .invocation_token import changed, invocation_claims, signed
from .keys import ForgeKey


@dataclass(frozen=True)
class RemoteCall:
    """`claims` change the token's claims by dotted path, `headers` the request's headers.

    None as a value removes a claim or a header.
    """

    what: str
    endpoint: Endpoint
    method: str = "POST"
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    system_token: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)


async def call_remote(
    site: Site, installation: ForgeInstallation, call: RemoteCall, key: ForgeKey, seconds: float
) -> AppAnswer:
    """Sends the call. The remote has `seconds` for its whole answer; a redirect is an error."""
    import httpx

    claims = changed(invocation_claims(site, installation, call.endpoint), call.claims)
    url = httpx.URL(installation.remote_url.rstrip("/") + call.endpoint.path)
    content = None if call.body is None else json.dumps(call.body).encode()
    started = time.perf_counter()
    async with new_client(timeout_seconds=None) as client:
        request = client.build_request(
            call.method,
            url.copy_merge_params(call.query) if call.query else url,
            content=content,
            headers=_headers(call, signed(claims, key)),
        )
        try:
            async with asyncio.timeout(seconds):
                answer = await send_request(client, request, call.what)
        except TimeoutError:
            elapsed = round((time.perf_counter() - started) * 1000, 1)
            error = f"TimeoutError: no answer within {seconds} s"
            return AppAnswer(call.what, call.method, str(request.url), None, None, error, elapsed)
    if answer.status is not None and 300 <= answer.status < 400:
        return replace(answer, error="Forge treats a redirect as an error.")
    return answer


def _headers(call: RemoteCall, token: str) -> dict[str, str]:
    headers: dict[str, str | None] = {
        "authorization": f"Bearer {token}",
        "x-forge-oauth-system": call.system_token,
        "x-b3-traceid": secrets.token_hex(8),
        "x-b3-spanid": secrets.token_hex(8),
        "content-type": None if call.body is None else "application/json",
    }
    headers |= {name.lower(): value for name, value in call.headers.items()}
    return {name: value for name, value in headers.items() if value is not None}
