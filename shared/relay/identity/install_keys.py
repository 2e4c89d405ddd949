"""The public keys that Atlassian signs lifecycle calls with, fetched once per `kid`."""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from relay.errors import Unauthenticated, Unavailable
from relay.identity.key_servers import fetch_keys
from relay.outbound import OutboundClient

# The kid comes from whoever calls, so nothing is asked for that is not plainly a name.
_KID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_KEYS_MAX = 100


class InstallKeys:
    """A rotated key has a new kid, so a key is kept as long as this Lambda lives."""

    def __init__(self, http: OutboundClient, url: str) -> None:
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
        pem = fetch_keys(self._http, f"{self._url}/{kid}")
        if pem is None:
            raise Unauthenticated("the kid is unknown")
        return pem


def _public_key(pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise Unavailable("The key server's answer is not a key.") from None
    if not isinstance(key, RSAPublicKey):
        raise Unavailable("The key server's answer is not an RSA key.")
    return key
