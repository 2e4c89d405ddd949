"""Requests to the public key servers of Connect and Forge, made while a caller waits."""

import httpx

from relay.errors import Unavailable
from relay.outbound.client import OutboundClient

_SECONDS = 3
_ANSWER_BYTES_MAX = 65_536


def key_server_client() -> OutboundClient:
    """An HTTP client with a short deadline: the caller is waiting for its answer."""
    return OutboundClient(_SECONDS, _ANSWER_BYTES_MAX)


def fetch_keys(http: OutboundClient, url: str) -> bytes | None:
    """The body of the server's answer; None for 404. Raises Unavailable for any other failure."""
    try:
        response = http.get(url)
    except httpx.RequestError:
        raise Unavailable("The key server can't be reached. Try again later.") from None
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    if response.status_code != httpx.codes.OK:
        raise Unavailable("The key server returned an error. Try again later.")
    return response.content
