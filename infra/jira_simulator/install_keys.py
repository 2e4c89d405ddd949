"""The key pair that signs `installed` and `uninstalled`, and the id under which Jira serves it."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


@dataclass(frozen=True)
class InstallKey:
    """`kid` is the first half of the SHA-256 of the public key: a new key has a new id."""

    kid: str
    private_key: RSAPrivateKey
    private_pem: str
    public_pem: str


def new_install_key() -> InstallKey:
    """Generates an RSA key of 2048 bits."""
    return _install_key(generate_private_key(public_exponent=65537, key_size=2048))


def read_install_key(pem: bytes) -> InstallKey:
    """Reads an unencrypted PEM. Raises ValueError for anything but an RSA private key."""
    private_key = load_pem_private_key(pem, password=None)
    if not isinstance(private_key, RSAPrivateKey):
        raise ValueError("the install key must be an RSA private key")
    return _install_key(private_key)


def _install_key(private_key: RSAPrivateKey) -> InstallKey:
    public_key = private_key.public_key()
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return InstallKey(
        kid=hashlib.sha256(der).hexdigest()[:32],
        private_key=private_key,
        private_pem=private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode(),
        public_pem=public_key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode(),
    )
