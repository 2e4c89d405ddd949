"""Connect's canonical request and its query string hash (qsh).

`qsh = sha256hex(METHOD + "&" + PATH + "&" + QUERY)`, as defined by Atlassian Connect's "Creating a
query string hash". Where that text is ambiguous, this follows the signed URLs of Atlassian's
interoperability test.
"""

import hashlib
from urllib.parse import quote, unquote_plus

_UNRESERVED = "-._~"


def canonical_path(raw_path: str, base_path: str = "") -> str:
    """The raw path, relative to the path of the base URL.

    Only `&` is encoded, because it separates the parts of the canonical request.
    """
    base = base_path.rstrip("/")
    if base and (raw_path == base or raw_path.startswith(base + "/")):
        raw_path = raw_path[len(base) :]
    return (raw_path.rstrip("/") or "/").replace("&", "%26")


def canonical_query(raw_query: str) -> str:
    """The query, sorted and encoded, without `jwt`, which carries the token itself."""
    values: dict[str, list[str]] = {}
    for pair in raw_query.split("&"):
        if not pair:
            continue
        raw_name, _, raw_value = pair.partition("=")
        name = unquote_plus(raw_name)
        if name != "jwt":
            values.setdefault(_encode(name), []).append(unquote_plus(raw_value))
    return "&".join(
        # An unencoded comma separates values; a comma inside a value is encoded.
        f"{name}={','.join(_encode(value) for value in sorted(values[name]))}"
        for name in sorted(values)
    )


def canonical_request(method: str, raw_path: str, raw_query: str, base_path: str = "") -> str:
    """`METHOD&PATH&QUERY`; `raw_query` comes without its `?`."""
    return "&".join(
        (method.upper(), canonical_path(raw_path, base_path), canonical_query(raw_query))
    )


def query_string_hash(method: str, raw_path: str, raw_query: str, base_path: str = "") -> str:
    """The `qsh` claim of a request: 64 lower-case hex digits."""
    request = canonical_request(method, raw_path, raw_query, base_path)
    return hashlib.sha256(request.encode()).hexdigest()


def _encode(text: str) -> str:
    return quote(text, safe=_UNRESERVED)
