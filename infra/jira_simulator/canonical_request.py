"""The query string hash (qsh), which binds a token of Atlassian Connect to one request.

Source: "Creating a query string hash" and "Understanding JWT" in Connect's documentation.
"""

import hashlib
from itertools import groupby
from operator import itemgetter
from urllib.parse import parse_qsl, quote


def query_string_hash(method: str, path: str, query: str) -> str:
    """Returns the hash in hex; `path`, relative to the base URL, and `query` are raw."""
    request = f"{method.upper()}&{_canonical_path(path)}&{_canonical_query(query)}"
    return hashlib.sha256(request.encode()).hexdigest()


def _canonical_path(path: str) -> str:
    return (path.rstrip("/") or "/").replace("&", "%26")


def _canonical_query(query: str) -> str:
    """Sorts names in encoded and values in decoded form; leaves out `jwt`, the token itself."""
    pairs = sorted(
        (quote(name, safe=""), value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name != "jwt"
    )
    return "&".join(
        f"{name}={','.join(quote(value, safe='') for _, value in group)}"
        for name, group in groupby(pairs, key=itemgetter(0))
    )
