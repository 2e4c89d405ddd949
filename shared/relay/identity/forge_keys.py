"""The JSON Web Key Set with which Atlassian signs Forge Invocation Tokens."""

import re
import time
from collections.abc import Callable
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from pydantic import BaseModel, ConfigDict, ValidationError

from relay.errors import Unauthenticated, Unavailable
from relay.identity.key_servers import fetch_keys
from relay.outbound.client import OutboundClient

FORGE_KEYS_URL = "https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json"
# Atlassian's kids contain slashes: `forge/invocation-token/…`. They never become part of a URL.
_KID = re.compile(r"[A-Za-z0-9._/-]{1,128}", re.ASCII)
_CACHE_SECONDS = 3600
# Limits the requests that made-up kids can cause: any unknown kid may be that of a new key.
_PAUSE_SECONDS = 10
_KEY_BITS_MIN = 2048


class _KeySet(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    keys: list[Any]


class _SigningKey(BaseModel):
    """A public RSA key for signatures. A key with its private part (`d`) is refused."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    kty: Literal["RSA"]
    kid: str
    n: str
    e: str
    use: Literal["sig"] | None = None
    alg: Literal["RS256"] | None = None
    d: None = None


class ForgeKeys:
    """Caches the key set. It is fetched again for an unknown kid, and hourly to drop revoked keys.

    Known keys remain valid while the key server fails. `clock` returns epoch seconds: a monotonic
    clock may stop while a Lambda is frozen.
    """

    def __init__(
        self,
        http: OutboundClient,
        url: str = FORGE_KEYS_URL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at = float("-inf")
        self._failure = ""

    def get(self, kid: object) -> RSAPublicKey:
        """The key of this kid. Raises Unauthenticated for an invalid or unknown kid, and
        Unavailable if the key server fails."""
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise Unauthenticated("the kid is invalid")
        if self._is_refresh_due(kid):
            self._refresh()
        if kid in self._keys:
            return self._keys[kid]
        if self._failure:
            raise Unavailable(self._failure)
        raise Unauthenticated("the kid is unknown")

    def _is_refresh_due(self, kid: str) -> bool:
        is_cached = kid in self._keys and not self._failure
        wait = _CACHE_SECONDS if is_cached else _PAUSE_SECONDS
        return self._clock() - self._fetched_at >= wait

    def _refresh(self) -> None:
        self._fetched_at = self._clock()
        try:
            self._keys = _signing_keys(self._fetch())
            self._failure = ""
        except Unavailable as error:
            self._failure = error.message

    def _fetch(self) -> bytes:
        document = fetch_keys(self._http, self._url)
        if document is None:
            raise Unavailable("Forge's key server has no key set.")
        return document


def _signing_keys(document: bytes) -> dict[str, RSAPublicKey]:
    """The usable keys by kid. Keys of another type or for another use are skipped."""
    try:
        members = _KeySet.model_validate_json(document).keys
    except ValidationError:
        raise Unavailable("The answer of Forge's key server is not a key set.") from None
    keys = dict(filter(None, map(_signing_key, members)))
    if not keys:
        raise Unavailable("The key set of Forge's key server has no signing key.")
    return keys


def _signing_key(member: Any) -> tuple[str, RSAPublicKey] | None:
    try:
        described = _SigningKey.model_validate(member)
        key = PyJWK(described.model_dump(include={"kty", "n", "e"}), "RS256").key
    except (ValidationError, PyJWTError):
        return None
    if not isinstance(key, RSAPublicKey) or key.key_size < _KEY_BITS_MIN:
        return None
    return described.kid, key
