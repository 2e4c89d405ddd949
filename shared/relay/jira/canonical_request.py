"""Connect's canonical request, and the query string hash (qsh) made of it.

`qsh = sha256hex(METHOD + "&" + PATH + "&" + QUERY)`, as Atlassian Connect's "Creating a query
string hash" defines it; the signed URLs of Atlassian's own interoperability test settle what the
text leaves open.
"""

import hashlib
from urllib.parse import quote, unquote_plus

_UNRESERVED = "-._~"


def canonical_path(raw_path: str, base_path: str = "") -> str:
    """The path as it stood on the wire, relative to the base URL's own path.

    Nothing is decoded or encoded, but for `&`, which would end the path.
    """
    base = base_path.rstrip("/")
    if base and (raw_path == base or raw_path.startswith(base + "/")):
        raw_path = raw_path[len(base) :]
    return (raw_path.rstrip("/") or "/").replace("&", "%26")


def canonical_query(raw_query: str) -> str:
    """The query sorted and encoded; `jwt`, which carries the token itself, is left out."""
    values: dict[str, list[str]] = {}
    for pair in raw_query.split("&"):
        if not pair:
            continue
        raw_name, _, raw_value = pair.partition("=")
        name = unquote_plus(raw_name)
        if name != "jwt":
            values.setdefault(_encode(name), []).append(unquote_plus(raw_value))
    return "&".join(
        # A comma of ours separates values; one inside a value is encoded.
        f"{name}={','.join(_encode(value) for value in sorted(values[name]))}"
        for name in sorted(values)
    )


def canonical_request(method: str, raw_path: str, raw_query: str, base_path: str = "") -> str:
    return "&".join(
        (method.upper(), canonical_path(raw_path, base_path), canonical_query(raw_query))
    )


def query_string_hash(method: str, raw_path: str, raw_query: str, base_path: str = "") -> str:
    """The `qsh` claim for a request: 64 lower-case hex digits."""
    request = canonical_request(method, raw_path, raw_query, base_path)
    return hashlib.sha256(request.encode()).hexdigest()


def _encode(text: str) -> str:
    return quote(text, safe=_UNRESERVED)
