"""Header values as a fault's parameters may give them: whatever HTTP lets through."""

from typing import Any

# Printable Latin-1 without blanks around it; anything else breaks the answer, or leaves it.
HEADER_VALUE: dict[str, Any] = {
    "type": "string",
    "pattern": r"^([!-~\u00a1-\u00ff]([ -~\u00a1-\u00ff]*[!-~\u00a1-\u00ff])?)?\Z",
}
RATE_LIMIT_HEADERS: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": r"^[A-Za-z-]*RateLimit[A-Za-z-]*\Z"},
    "additionalProperties": HEADER_VALUE,
}


def headers_of(parameters: dict[str, Any]) -> dict[str, str]:
    """`retryAfter` as Retry-After, and the `headers` as they are."""
    named: dict[str, str] = parameters.get("headers", {})
    if "retryAfter" in parameters:
        return {**named, "Retry-After": parameters["retryAfter"]}
    return named
