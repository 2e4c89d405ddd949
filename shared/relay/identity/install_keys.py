"""The public keys with which Atlassian signs lifecycle calls, fetched once per `kid`."""

import time
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from relay.errors import Unauthenticated, Unavailable
from relay.identity.key_servers import fetch_keys
from relay.outbound.client import OutboundClient

_KEYS_MAX = 100
# A new key may be published just after a request for it, so refusals are cached only briefly.
_REFUSED_SECONDS = 60
_REFUSED_MAX = 1000


class InstallKeys:
    """Caches keys for the life of the Lambda, because a rotated key has a new kid.

    A kid that the server does not know is refused for a minute without another request. `clock`
    returns epoch seconds: a monotonic clock may stop while a Lambda is frozen.
    """

    def __init__(
        self, http: OutboundClient, url: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._clock = clock
        self._keys: dict[str, RSAPublicKey] = {}
        # The time of each refusal by kid, oldest first.
        self._refused: dict[str, float] = {}

    def get(self, kid: str) -> RSAPublicKey:
        """The key of this kid. Raises Unauthenticated if it is unknown, and Unavailable if the key
        server fails.

        `kid` becomes part of a URL: it must contain only letters, digits, `_` and `-`.
        """
        if kid in self._keys:
            return self._keys[kid]
        if 0 <= self._clock() - self._refused.get(kid, float("-inf")) < _REFUSED_SECONDS:
            raise Unauthenticated("the kid is unknown")
        try:
            key = _public_key(self._fetch(kid))
        except Unauthenticated:
            self._cache_refusal(kid)
            raise
        if len(self._keys) >= _KEYS_MAX:
            self._keys.clear()
        self._keys[kid] = key
        return key

    def _cache_refusal(self, kid: str) -> None:
        self._refused.pop(kid, None)
        if len(self._refused) >= _REFUSED_MAX:
            del self._refused[next(iter(self._refused))]
        self._refused[kid] = self._clock()

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
