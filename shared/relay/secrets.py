"""Secrets under KMS envelope encryption, each bound to its owner.

The owner, such as {"tenantId": …}, is KMS's encryption context and AES-GCM's associated data. So an
item that is copied to another owner can't be decrypted there.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from relay.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_NONCE_BYTES = 12
_CACHED_MAX = 1000

Owner = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EncryptedSecret:
    """A secret, encrypted with its own data key, which KMS encrypted for the secret's owner."""

    ciphertext: bytes
    data_key: bytes


class Secrets:
    """Encrypts and decrypts under one KMS `key`, its id or ARN. Caches what it has decrypted."""

    def __init__(self, kms: "KMSClient", key: str) -> None:
        self._kms = kms
        self._key = key
        # Keyed by ciphertext, so that a changed secret is never read from the cache.
        self._plain: dict[tuple[bytes, bytes], str] = {}

    def encrypt(self, owner: Owner, secret: str) -> EncryptedSecret:
        """Encrypts the secret with a new data key. Raises AWS_ERRORS."""
        response = self._kms.generate_data_key(
            KeyId=self._key, KeySpec="AES_256", EncryptionContext=owner
        )
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(response["Plaintext"]).encrypt(nonce, secret.encode(), _associated(owner))
        return EncryptedSecret(nonce + sealed, response["CiphertextBlob"])

    def decrypt(self, owner: Owner, secret: EncryptedSecret) -> str:
        """Raises AWS_ERRORS, or Unavailable; also for a secret of another owner."""
        cached = (_associated(owner), secret.ciphertext)
        plain = self._plain.get(cached)
        if plain is None:
            plain = self._open(owner, secret)
            if len(self._plain) >= _CACHED_MAX:
                self._plain.clear()
            self._plain[cached] = plain
        return plain

    def _open(self, owner: Owner, secret: EncryptedSecret) -> str:
        response = self._kms.decrypt(
            CiphertextBlob=secret.data_key, KeyId=self._key, EncryptionContext=owner
        )
        nonce, sealed = secret.ciphertext[:_NONCE_BYTES], secret.ciphertext[_NONCE_BYTES:]
        try:
            return AESGCM(response["Plaintext"]).decrypt(nonce, sealed, _associated(owner)).decode()
        except InvalidTag:
            raise Unavailable("A secret could not be decrypted.") from None


class NoSecrets(Secrets):
    """For functions without a KMS key: they neither read nor store secrets."""

    def __init__(self) -> None:
        """Holds no client and no key."""

    def encrypt(self, owner: Owner, secret: str) -> EncryptedSecret:  # noqa: ARG002
        """Raises RuntimeError."""
        raise RuntimeError("this function has no key to encrypt secrets with")

    def decrypt(self, owner: Owner, secret: EncryptedSecret) -> str:  # noqa: ARG002
        """Raises RuntimeError."""
        raise RuntimeError("this function has no key to decrypt secrets with")


def _associated(owner: Owner) -> bytes:
    return json.dumps(dict(owner), sort_keys=True).encode()
