"""A call as it came over the wire: qsh is computed from these bytes, not from decoded ones."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from .credentials import Credential

# What exceeds a limit is still read, up to this: an answer before the body's end would reach
# most clients as a broken connection.
_MOST_DRAINED_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class WireCall:
    """`path` and `query` are raw; `body` is cut just after the limit, `size` is its full length.

    `credential` is the one that calls of this path have to carry.
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
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def target(self) -> str:
        """Path and query, without a token that someone put there."""
        pairs = [pair for pair in self.query.split("&") if not _is_token(pair)]
        return f"{self.path}?{'&'.join(pairs)}".removesuffix("?")


async def read_call(request: Request, limit: int, credential: Credential) -> WireCall:
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
        if size > _MOST_DRAINED_BYTES:
            break
    return b"".join(chunks), size


def _is_token(pair: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) == "jwt"
