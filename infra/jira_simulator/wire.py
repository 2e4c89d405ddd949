"""A call as received: its qsh is computed from the raw path and query."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from .credentials import Credential

# A body beyond the limit is still read, up to this size: most clients report an answer that arrives
# before the end of the body as a broken connection.
_DRAINED_BYTES_MAX = 256 * 1024 * 1024


@dataclass(frozen=True)
class WireCall:
    """`path` and `query` are raw; `body` is cut off after the limit, `size` is its full length.

    `credential` is the one that the path requires.
    """

    credential: Credential
    method: str
    path: str
    query: str
    authorization: str | None
    cookie: str | None
    body: bytes
    size: int

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The decoded query parameters, in order."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def target(self) -> str:
        """Path and query, without a token in the query."""
        pairs = [pair for pair in self.query.split("&") if not _is_token(pair)]
        return f"{self.path}?{'&'.join(pairs)}".removesuffix("?")


async def read_call(request: Request, limit: int, credential: Credential) -> WireCall:
    """Reads the request; a body of more than `limit` bytes is cut off."""
    body, size = await _read_body(request, limit)
    return WireCall(
        credential=credential,
        method=request.method,
        path=request.scope["raw_path"].decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        authorization=request.headers.get("authorization"),
        cookie=request.headers.get("cookie"),
        body=body,
        size=size,
    )


async def _read_body(request: Request, limit: int) -> tuple[bytes, int]:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        if size <= limit:
            chunks.append(chunk)
        size += len(chunk)
        if size > _DRAINED_BYTES_MAX:
            break
    return b"".join(chunks), size


def _is_token(pair: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) == "jwt"
