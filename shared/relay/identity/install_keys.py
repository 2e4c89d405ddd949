"""The public keys that Atlassian signs lifecycle calls with, fetched once per `kid`."""

import re

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from relay.errors import Unauthenticated, Unavailable

# The kid comes from whoever calls, so nothing is asked for that is not plainly a name.
_KID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_TIMEOUT = httpx.Timeout(3)
_BYTES_MAX = 16_384
_KEYS_MAX = 100


class InstallKeys:
    """A rotated key has a new kid, so a key is kept as long as this Lambda lives."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._keys: dict[str, RSAPublicKey] = {}

    def get(self, kid: object) -> RSAPublicKey:
        """Raises Unauthenticated for a kid that is none or unknown; Unavailable for our trouble."""
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise Unauthenticated("the kid is not a name")
        if kid not in self._keys:
            key = _public_key(self._fetch(kid))
            if len(self._keys) >= _KEYS_MAX:
                self._keys.clear()
            self._keys[kid] = key
        return self._keys[kid]

    def _fetch(self, kid: str) -> bytes:
        url = f"{self._url}/{kid}"
        try:
            with self._http.stream(
                "GET", url, timeout=_TIMEOUT, follow_redirects=False
            ) as response:
                if response.status_code == httpx.codes.NOT_FOUND:
                    raise Unauthenticated("the kid is unknown")
                if response.status_code != httpx.codes.OK:
                    raise Unavailable("The key server can't be asked now; try again.")
                return _read(response)
        except httpx.RequestError:
            raise Unavailable("The key server can't be reached now; try again.") from None


def _read(response: httpx.Response) -> bytes:
    content = b""
    for part in response.iter_bytes():
        content += part
        if len(content) > _BYTES_MAX:
            raise Unavailable("The key server's answer is too large to be a key.")
    return content


def _public_key(pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise Unavailable("The key server's answer is not a key.") from None
    if not isinstance(key, RSAPublicKey):
        raise Unavailable("The key server's answer is not an RSA key.")
    return key
