"""The query string hash (qsh) by which a token of Atlassian Connect holds for one request only.

Source: "Creating a query string hash" and "Understanding JWT" in Connect's documentation.
"""

import hashlib
from itertools import groupby
from operator import itemgetter
from urllib.parse import parse_qsl, quote


def query_string_hash(method: str, path: str, query: str) -> str:
    """The hash in hex. `path` is relative to the base URL, and raw, as `query` is."""
    request = f"{method.upper()}&{_canonical_path(path)}&{_canonical_query(query)}"
    return hashlib.sha256(request.encode()).hexdigest()


def _canonical_path(path: str) -> str:
    return (path.rstrip("/") or "/").replace("&", "%26")


def _canonical_query(query: str) -> str:
    """Names sorted as encoded, the values of one name as decoded; `jwt` is the token itself."""
    pairs = sorted(
        (quote(name, safe=""), value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name != "jwt"
    )
    return "&".join(
        f"{name}={','.join(quote(value, safe='') for _, value in group)}"
        for name, group in groupby(pairs, key=itemgetter(0))
    )
