"""How each tool signs what it sends: from a body and a secret to headers."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

Sign = Callable[[bytes, str], dict[str, str]]


def _hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _pagerduty(body: bytes, secret: str) -> dict[str, str]:
    """While a secret is replaced, the old one signs, too."""
    signatures = [_hex("the old secret", body), _hex(secret, body)]
    return {"X-PagerDuty-Signature": ",".join(f"v1={one}" for one in signatures)}


def _rootly(body: bytes, secret: str) -> dict[str, str]:
    at = str(int(time.time()))
    return {"X-Rootly-Signature": f"t={at},v1={_hex(secret, at.encode() + body)}"}


def _firehydrant(body: bytes, secret: str) -> dict[str, str]:
    return {"fh-signature": _hex(secret, body)}


def _grafana(body: bytes, secret: str) -> dict[str, str]:
    return {"X-Grafana-Alerting-Signature": _hex(secret, body)}


def _sentry(body: bytes, secret: str) -> dict[str, str]:
    """The time is not signed."""
    at = str(int(time.time()))
    return {"Sentry-Hook-Timestamp": at, "Sentry-Hook-Signature": _hex(secret, body)}


def _incidentio(body: bytes, secret: str) -> dict[str, str]:
    """Standard Webhooks; the id is the same in each attempt."""
    at, message_id = datetime.now(UTC), f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body.decode()),
    }


SIGNATURES: Mapping[str, Sign] = {
    "firehydrant": _firehydrant,
    "grafana": _grafana,
    "incidentio": _incidentio,
    "pagerduty": _pagerduty,
    "rootly": _rootly,
    "sentry": _sentry,
}


def new_secret(kind: str) -> str:
    """A secret as the tool makes it, or as its user does."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"whsec_{key}" if kind == "incidentio" else key
