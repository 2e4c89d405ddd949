"""Calls to the servers of public keys, Connect's and Forge's, while a caller waits."""

import httpx

from relay.errors import Unavailable
from relay.outbound.client import OutboundClient

_SECONDS = 3
_ANSWER_BYTES_MAX = 65_536


def key_server_client() -> OutboundClient:
    return OutboundClient(_SECONDS, _ANSWER_BYTES_MAX)


def fetch_keys(http: OutboundClient, url: str) -> bytes | None:
    """The server's answer; None where it answers 404. Raises Unavailable for any other trouble."""
    try:
        response = http.get(url)
    except httpx.RequestError:
        raise Unavailable("The key server can't be reached now; try again.") from None
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    if response.status_code != httpx.codes.OK:
        raise Unavailable("The key server can't be asked now; try again.")
    return response.content
