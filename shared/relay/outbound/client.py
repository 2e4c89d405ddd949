"""The HTTP client of every outside call: to Jira, to key servers and to webhooks."""

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
# Makes zlib expect the header and trailer of gzip.
_GZIP_WBITS = 31
_TIMEOUTS = ("connect", "read", "write", "pool")


class AnswerTooLarge(httpx.RequestError):
    """The response body exceeds the client's limit, before or after decompression."""


class BoundedAnswer(httpx.SyncByteStream):
    """A response body, decompressed, of at most `bytes_max` bytes.

    Iterating raises AnswerTooLarge, or httpx.DecodingError if the Content-Encoding was not
    requested or the data does not match it.
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
        raise httpx.DecodingError("the response has a Content-Encoding that was not requested")

    def close(self) -> None:
        """Close the stream of the response."""
        self._stream.close()

    def _bounded(self) -> Iterator[bytes]:
        room = self._bytes_max
        for part in self._stream:
            room -= len(part)
            if room < 0:
                raise AnswerTooLarge(f"the response has more than {self._bytes_max} bytes")
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
                raise AnswerTooLarge(
                    f"the response decompresses to more than {self._bytes_max} bytes"
                )
            yield inflated
        if not (inflater.eof or empty):
            raise httpx.DecodingError("the response ends within its gzip data")


class OutboundClient(httpx.Client):
    """An httpx client with limits on a whole call.

    `seconds` covers DNS, connection, TLS, request and the complete response; so does the `timeout`
    of a single request. `bytes_max` limits the decompressed body. A call that exceeds either raises
    httpx.RequestError. `check` may refuse the addresses of a host.

    The client follows no redirects, stores and sends no cookies, and ignores proxy variables: a
    request goes only to the host that was checked.
    """

    def __init__(self, seconds: float, bytes_max: int, check: AddressCheck | None = None) -> None:
        self.seconds = seconds
        super().__init__(
            transport=_Transport(Network(check), bytes_max),
            timeout=seconds,
            # Some firewalls block the default User-Agent of an HTTP library.
            headers={"Accept-Encoding": ENCODING, "User-Agent": "Relay"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )


class _Transport(httpx.HTTPTransport):
    def __init__(self, network: Network, bytes_max: int) -> None:
        # Uses the certificates of SSL_CERT_FILE if that is set.
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no parameter for the network backend. These limits are httpx's defaults.
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
        # Removed, so that httpx does not decompress the body again, without a limit.
        encoding = response.headers.pop("content-encoding", "")
        stream = cast(httpx.SyncByteStream, response.stream)
        response.stream = BoundedAnswer(stream, encoding, self._bytes_max)
        return response
