"""HMAC signatures of webhooks, over the bytes as they arrived."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.errors import Unauthenticated

# Seconds that a signed time may differ from Relay's.
TOLERANCE = 300
_SIGNATURES_MAX = 20


@dataclass(frozen=True, slots=True)
class Call:
    """A webhook's call: header names in lower case, the body as it arrived, the time in epoch
    seconds."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True)
class HmacSha256:
    """The hexadecimal HMAC-SHA256 in a header, one of several that are separated by commas.

    `prefix` stands before each signature. A signed time is in the same header after
    `time_prefix`, or in the header `time_header`; it comes before the body in the signed message,
    with `separator` between the two.
    """

    header: str
    prefix: str = ""
    time_prefix: str = ""
    time_header: str = ""
    separator: str = ""

    def verify(self, call: Call, secret: str) -> None:
        """Raises Unauthenticated if no signature is right, or its time is not within TOLERANCE."""
        given = call.headers.get(self.header.lower(), "")
        if not given:
            raise Unauthenticated(f"the header {self.header} is missing")
        parts = [part.strip() for part in given.split(",", _SIGNATURES_MAX)][:_SIGNATURES_MAX]
        message = self._signed_time(call, parts) + call.body
        wanted = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        found = [part.removeprefix(self.prefix) for part in parts if part.startswith(self.prefix)]
        # Every signature is compared, so that the time does not depend on which one is right.
        given_bytes = [one.encode(errors="replace") for one in found]
        if not sum(hmac.compare_digest(one, wanted.encode()) for one in given_bytes):
            raise Unauthenticated(f"the signature in {self.header} is wrong")

    def _signed_time(self, call: Call, parts: list[str]) -> bytes:
        if self.time_header:
            given = call.headers.get(self.time_header.lower(), "").strip()
        elif self.time_prefix:
            marked = [part for part in parts if part.startswith(self.time_prefix)]
            given = marked[0].removeprefix(self.time_prefix) if marked else ""
        else:
            return b""
        if not re.fullmatch(r"\d{1,12}", given, re.ASCII):
            raise Unauthenticated("the signature's time is missing")
        if abs(int(given) - call.at) > TOLERANCE:
            raise Unauthenticated("the signature's time is more than five minutes from Relay's")
        return (given + self.separator).encode()
