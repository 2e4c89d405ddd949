"""The HTTP client of every call that Relay makes, to Jira, to key servers and to webhooks."""

import zlib
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpcore
import httpx

from relay.outbound.network import AddressCheck, Deadline, Network

ENCODING = "gzip"
_PLAIN = ("", "identity")
_GZIP = (ENCODING, "x-gzip")
# zlib's number for gzip's header and trailer.
_GZIP_WBITS = 31
_TIMEOUTS = ("connect", "read", "write", "pool")


class AnswerTooLarge(httpx.RequestError):
    """The body has more bytes than the caller reads, as it is sent or once it is inflated."""


class BoundedAnswer(httpx.SyncByteStream):
    """The parts of a body, with its Content-Encoding undone; never more than `bytes_max` in all.

    Iterating raises AnswerTooLarge, or httpx.DecodingError for an encoding that was not asked for
    or is broken.
    """

    def __init__(self, stream: httpx.SyncByteStream, encoding: str, bytes_max: int) -> None:
        self._stream = stream
        self._encoding = encoding.strip().lower()
        self._bytes_max = bytes_max

    def __iter__(self) -> Iterator[bytes]:
        if self._encoding in _PLAIN:
            return self._bounded()
        if self._encoding in _GZIP:
            return self._inflated()
        raise httpx.DecodingError("the answer has a Content-Encoding that was not asked for")

    def close(self) -> None:
        self._stream.close()

    def _bounded(self) -> Iterator[bytes]:
        room = self._bytes_max
        for part in self._stream:
            room -= len(part)
            if room < 0:
                raise AnswerTooLarge(f"the answer has more than {self._bytes_max} bytes")
            yield part

    def _inflated(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_GZIP_WBITS)
        room = self._bytes_max
        empty = True
        for part in self._bounded():
            empty = False
            try:
                inflated = inflater.decompress(part, room + 1)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
            room -= len(inflated)
            if room < 0:
                raise AnswerTooLarge(f"the answer inflates to more than {self._bytes_max} bytes")
            yield inflated
        if not (inflater.eof or empty):
            raise httpx.DecodingError("the answer ends within its gzip data")


class OutboundClient(httpx.Client):
    """`seconds` are for a whole call: address, connection, TLS, request, and answer to its end;
    `bytes_max` is for an answer's body, inflated. Past either, httpx.RequestError is raised.

    Redirects are not followed, cookies are neither kept nor sent, and no proxy is taken from the
    environment: a call goes to the host that was checked, with what its caller gave, or nowhere.
    `check` may refuse the addresses of a host. A request's own `timeout` is for a whole call, too.
    """

    def __init__(self, seconds: float, bytes_max: int, check: AddressCheck | None = None) -> None:
        self.seconds = seconds
        super().__init__(
            transport=_Transport(Network(check), bytes_max),
            timeout=seconds,
            # Firewalls take the name of a library for a script of anybody's.
            headers={"Accept-Encoding": ENCODING, "User-Agent": "Relay"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )


class _Transport(httpx.HTTPTransport):
    def __init__(self, network: Network, bytes_max: int) -> None:
        # Certificates are those of SSL_CERT_FILE, where that is set.
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no parameter for the network backend. Its limits are httpx's own.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=network,
        )
        self._bytes_max = bytes_max

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        timeout = request.extensions["timeout"]["read"]
        deadline = timeout if isinstance(timeout, Deadline) else Deadline(timeout)
        request.extensions |= {"timeout": dict.fromkeys(_TIMEOUTS, deadline)}
        response = super().handle_request(request)
        # Taken away, so that httpx does not decode it again, without a limit.
        encoding = response.headers.pop("content-encoding", "")
        stream = cast(httpx.SyncByteStream, response.stream)
        response.stream = BoundedAnswer(stream, encoding, self._bytes_max)
        return response
