"""The public keys that Atlassian signs Forge Invocation Tokens with: one JSON Web Key Set."""

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
# Atlassian's have slashes, `forge/invocation-token/…`; a kid is looked up and never part of a URL.
_KID = re.compile(r"[A-Za-z0-9._/-]{1,128}", re.ASCII)
_KEPT_SECONDS = 3600
# A stranger can make up as many kids as he likes, and each might be a new key's.
_PAUSE_SECONDS = 10
_KEY_BITS_MIN = 2048


class _KeySet(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    keys: list[Any]


class _SigningKey(BaseModel):
    """A public RSA key for signatures; one that brings its private part proves nothing."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    kty: Literal["RSA"]
    kid: str
    n: str
    e: str
    use: Literal["sig"] | None = None
    alg: Literal["RS256"] | None = None
    d: None = None


class ForgeKeys:
    """The set is asked for again when a kid is unknown, and hourly, so that a withdrawn key goes.

    Known keys stay good while the key server is in trouble. `clock` gives seconds; it is the wall
    clock, as any other may stand still while a Lambda is frozen.
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
        self._asked_at = float("-inf")
        self._trouble = ""

    def get(self, kid: object) -> RSAPublicKey:
        """Raises Unauthenticated for a kid that is none or unknown; Unavailable for our trouble."""
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise Unauthenticated("the kid is not a name")
        if self._is_to_be_asked(kid):
            self._ask()
        if kid in self._keys:
            return self._keys[kid]
        if self._trouble:
            raise Unavailable(self._trouble)
        raise Unauthenticated("the kid is unknown")

    def _is_to_be_asked(self, kid: str) -> bool:
        is_settled = kid in self._keys and not self._trouble
        wait = _KEPT_SECONDS if is_settled else _PAUSE_SECONDS
        return self._clock() - self._asked_at >= wait

    def _ask(self) -> None:
        self._asked_at = self._clock()
        try:
            self._keys = _signing_keys(self._fetch())
            self._trouble = ""
        except Unavailable as error:
            self._trouble = error.message

    def _fetch(self) -> bytes:
        document = fetch_keys(self._http, self._url)
        if document is None:
            raise Unavailable("Forge's key server has no key set.")
        return document


def _signing_keys(document: bytes) -> dict[str, RSAPublicKey]:
    """By kid. A key of another kind, or for another use, is passed over."""
    try:
        members = _KeySet.model_validate_json(document).keys
    except ValidationError:
        raise Unavailable("The answer of Forge's key server is not a key set.") from None
    keys = dict(filter(None, map(_signing_key, members)))
    if not keys:
        raise Unavailable("The key set of Forge's key server has no key to sign with.")
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
