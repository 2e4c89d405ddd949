"""Calls from Jira to the installed app: one request with its own token, and the app's answer."""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .canonical_request import query_string_hash
from .json_body import parse_json
from .refusal import Refusal
from .tokens import Signer

if TYPE_CHECKING:
    import httpx

_TIMEOUT_SECONDS = 30
_LONGEST_EXCERPT = 2000


@dataclass(frozen=True)
class AppAnswer:
    """`status` is None if there was no answer; `error` then is the reason.

    `body` is the parsed JSON, or up to 2,000 characters of any other body.
    """

    what: str
    method: str
    url: str
    status: int | None
    body: Any
    error: str | None
    milliseconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the app answered with a 2xx status."""
        return self.status is not None and 200 <= self.status < 300

    def document(self) -> dict[str, Any]:
        """The answer as the control endpoint returns it."""
        return {
            "call": self.what,
            "method": self.method,
            "url": self.url,
            "status": self.status,
            "body": self.body,
            "error": self.error,
            "milliseconds": self.milliseconds,
        }


@dataclass(frozen=True)
class AppCall:
    """`what` names the event or action; `base_url` is the app's, to which qsh is relative."""

    what: str
    method: str
    url: str
    base_url: str
    body: Any = None
    query: Mapping[str, str] | None = None


async def call_app(call: AppCall, sign: Signer) -> AppAnswer:
    """Send one signed call; redirects are not followed."""
    import httpx  # imported here, because the import would slow down the start

    async with new_client() as client:
        url = httpx.URL(call.url)
        request = client.build_request(
            call.method,
            url.copy_merge_params(call.query) if call.query else url,
            content=None if call.body is None else json.dumps(call.body).encode(),
            headers={"Content-Type": "application/json"} if call.body is not None else None,
        )
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        base_path = urlsplit(call.base_url).path.rstrip("/")
        qsh = query_string_hash(call.method, path.removeprefix(base_path), query)
        request.headers["Authorization"] = f"JWT {sign(qsh)}"
        return await send_request(client, request, call.what)


async def fetch_json(url: str) -> Any:
    """Returns the JSON document at a URL. Raises a Refusal (502) if there is none."""
    import httpx

    try:
        async with new_client() as client:
            response = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refusal(502, f"{url}: {_reason(error)}") from error
    if response.status_code != 200:
        raise Refusal(502, f"{url} answered {response.status_code}.")
    try:
        return parse_json(response.content)
    except Refusal as refusal:
        raise Refusal(502, f"{url} is not JSON.") from refusal


async def send_request(
    client: "httpx.AsyncClient", request: "httpx.Request", what: str
) -> AppAnswer:
    """Sends the request. A connection error becomes the answer's `error`; it is not raised."""
    import httpx

    started = time.perf_counter()
    status, body, error = None, None, None
    try:
        response = await client.send(request)
        status, body = response.status_code, _excerpt(response)
    except httpx.HTTPError as failure:
        error = _reason(failure)
    elapsed = round((time.perf_counter() - started) * 1000, 1)
    return AppAnswer(what, request.method, str(request.url), status, body, error, elapsed)


def new_client(timeout_seconds: float | None = _TIMEOUT_SECONDS) -> "httpx.AsyncClient":
    """Returns a client that follows no redirects; a timeout of None waits forever."""
    import httpx

    # The environment's proxy is ignored: the app under test is usually on this machine.
    return httpx.AsyncClient(timeout=timeout_seconds, verify=_tls(), trust_env=False)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _excerpt(response: "httpx.Response") -> Any:
    try:
        return parse_json(response.content)
    except Refusal:
        return response.text[:_LONGEST_EXCERPT]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
