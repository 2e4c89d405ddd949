"""Tokens that no library would make: any header and payload, signed with any key or none."""

import base64
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def segment(content: Any) -> str:
    """Encode bytes unchanged, and everything else as JSON."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(header: Any, payload: Any) -> str:
    return f"{segment(header)}.{segment(payload)}."


def hs(header: Any, payload: Any, secret: bytes, digest: str) -> str:
    content = f"{segment(header)}.{segment(payload)}"
    return f"{content}.{segment(hmac.digest(secret, content.encode(), digest))}"


def hs256(header: Any, payload: Any, secret: bytes) -> str:
    return hs(header, payload, secret, "sha256")


def rs(header: Any, payload: Any, key: RSAPrivateKey, digest: hashes.HashAlgorithm) -> str:
    content = f"{segment(header)}.{segment(payload)}"
    return f"{content}.{segment(key.sign(content.encode(), padding.PKCS1v15(), digest))}"


def rs256(header: Any, payload: Any, key: RSAPrivateKey) -> str:
    return rs(header, payload, key, hashes.SHA256())


def without_signature(token: str) -> str:
    return token.rpartition(".")[0] + "."


def with_last_character_changed(token: str) -> str:
    """Change the payload so that the signature no longer matches."""
    header, payload, signature = token.split(".")
    changed = base64.urlsafe_b64decode(payload + "==") + b" "
    return f"{header}.{segment(changed)}.{signature}"
