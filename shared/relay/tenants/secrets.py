"""Tenant secrets under KMS envelope encryption, bound to their tenant.

The tenant's id is KMS's encryption context and AES-GCM's associated data, so that an item copied
to another tenant can't be decrypted there.
"""

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from relay.errors import Unavailable
from relay.tenants.tenant import EncryptedSecret, Tenant

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_NONCE_BYTES = 12
_CACHED_MAX = 1000


class Secrets:
    def __init__(self, kms: "KMSClient", key: str) -> None:
        self._kms = kms
        self._key = key
        # Keyed by the ciphertext, so that a changed secret is never read from here.
        self._plain: dict[tuple[str, bytes], str] = {}

    def encrypt(self, tenant_id: str, secret: str) -> EncryptedSecret:
        answer = self._kms.generate_data_key(
            KeyId=self._key, KeySpec="AES_256", EncryptionContext=_context(tenant_id)
        )
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(answer["Plaintext"]).encrypt(nonce, secret.encode(), tenant_id.encode())
        return EncryptedSecret(nonce + sealed, answer["CiphertextBlob"])

    def decrypt(self, tenant: Tenant) -> str | None:
        """The tenant's shared secret; None where it has none (any more)."""
        if tenant.secret is None:
            return None
        cached = (tenant.id, tenant.secret.ciphertext)
        if cached not in self._plain:
            if len(self._plain) >= _CACHED_MAX:
                self._plain.clear()
            self._plain[cached] = self._open(tenant.id, tenant.secret)
        return self._plain[cached]

    def _open(self, tenant_id: str, secret: EncryptedSecret) -> str:
        answer = self._kms.decrypt(
            CiphertextBlob=secret.data_key, KeyId=self._key, EncryptionContext=_context(tenant_id)
        )
        nonce, sealed = secret.ciphertext[:_NONCE_BYTES], secret.ciphertext[_NONCE_BYTES:]
        try:
            return AESGCM(answer["Plaintext"]).decrypt(nonce, sealed, tenant_id.encode()).decode()
        except InvalidTag:
            raise Unavailable("A tenant's secret can't be read.") from None


def _context(tenant_id: str) -> dict[str, str]:
    return {"tenantId": tenant_id}
