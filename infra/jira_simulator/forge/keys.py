"""The keys that sign invocation tokens, and the key set that verifies them."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key


@dataclass(frozen=True)
class ForgeKey:
    """An RSA key of 2048 bits with its id."""

    kid: str = field(default_factory=lambda: f"forge/invocation-token/{uuid.uuid4()}")
    private_key: RSAPrivateKey = field(
        default_factory=lambda: generate_private_key(public_exponent=65537, key_size=2048)
    )

    def jwk(self) -> dict[str, Any]:
        """The public key as a JSON Web Key."""
        from jwt.algorithms import RSAAlgorithm

        public = RSAAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        numbers = {name: public[name] for name in ("kty", "n", "e")}
        return {**numbers, "kid": self.kid, "use": "sig", "alg": "RS256"}


class ForgeKeys:
    """Forge's keys; the newest one signs. The first is generated on first use."""

    def __init__(self) -> None:
        self._keys: list[ForgeKey] = []

    @property
    def newest(self) -> ForgeKey:
        """The key that signs."""
        return self._all()[-1]

    def rotate(self, keep_old: bool) -> None:
        """Creates a key, which signs from now on. Old keys stay in the set if `keep_old`."""
        old = self._all() if keep_old else []
        self._keys = [*old, ForgeKey()]

    def kids(self) -> list[str]:
        """The ids of all keys in the set, newest last."""
        return [key.kid for key in self._all()]

    def key_set(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set."""
        return {"keys": [key.jwk() for key in self._all()]}

    def _all(self) -> list[ForgeKey]:
        if not self._keys:
            self._keys = [ForgeKey()]
        return self._keys
