"""Calls to other hosts, over real sockets: bounded in time and bytes, and without state between
calls.
"""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from relay.outbound.client import AnswerTooLarge, OutboundClient
from relay.outbound.network import Deadline
from tests.support.raw_server import RawServer, Script, raw_server

SECONDS = 0.3
BYTES_MAX = 1_000_000
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def http() -> Iterator[OutboundClient]:
    with OutboundClient(10, BYTES_MAX) as client:
        yield client


@pytest.fixture
def hasty() -> Iterator[OutboundClient]:
    """A client with a short deadline, for calls that end in no other way."""
    with OutboundClient(SECONDS, BYTES_MAX) as client:
        yield client


def answering(*answers: bytes) -> Script:
    """Send these answers in order, one per request, on an open connection."""
    left = iter(answers)

    def script(server: RawServer, connection: socket.socket) -> None:
        while server.head(connection):
            connection.sendall(next(left))

    return script


def answer(body: bytes, *headers: bytes) -> bytes:
    lines = [b"Content-Length: %d" % len(body), *headers]
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body


# --- One deadline for a whole call ---


def says_nothing(server: RawServer, connection: socket.socket) -> None:
    server.head(connection)
    server.closing.wait()


def trickles_interim_answers(server: RawServer, connection: socket.socket) -> None:
    server.head(connection)
    server.trickle(connection, b"HTTP/1.1 103 Early Hints\r\n\r\n")


def trickles_headers(server: RawServer, connection: socket.socket) -> None:
    server.head(connection)
    connection.sendall(OK)
    server.trickle(connection, b"x-more: of them\r\n")


def trickles_a_body(server: RawServer, connection: socket.socket) -> None:
    server.head(connection)
    connection.sendall(OK + b"Content-Length: 1000000\r\n\r\n")
    server.trickle(connection, b" ")


def trickles_chunks(server: RawServer, connection: socket.socket) -> None:
    server.head(connection)
    connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    server.trickle(connection, b"1\r\n \r\n")


def trickles_a_body_without_length(server: RawServer, connection: socket.socket) -> None:
    server.head(connection)
    connection.sendall(OK + b"\r\n")
    server.trickle(connection, b" ")


@pytest.mark.parametrize(
    "script",
    [
        says_nothing,
        trickles_interim_answers,
        trickles_headers,
        trickles_a_body,
        trickles_chunks,
        trickles_a_body_without_length,
    ],
)
def test_an_incomplete_answer_at_the_deadline_is_no_answer(
    hasty: OutboundClient, script: Script
) -> None:
    with raw_server(script) as server, pytest.raises(httpx.ReadTimeout):
        hasty.get(server.url)


def test_a_host_that_reads_the_body_byte_by_byte_is_given_up_at_the_deadline(
    hasty: OutboundClient,
) -> None:
    def read_slowly(server: RawServer, connection: socket.socket) -> None:
        while not server.closing.wait(0.02) and connection.recv(1):
            """One byte is taken."""

    with raw_server(read_slowly) as server, pytest.raises(httpx.WriteTimeout):
        hasty.post(server.url, content=b"x" * 50_000_000)


def test_an_endless_tls_handshake_is_given_up_at_the_deadline(
    hasty: OutboundClient,
) -> None:
    def trickle_a_record(server: RawServer, connection: socket.socket) -> None:
        # The head of a 16 KB TLS record, whose body is then sent byte by byte.
        connection.sendall(b"\x16\x03\x03\x40\x00")
        server.trickle(connection, b"\x00")

    with raw_server(trickle_a_record) as server, pytest.raises(httpx.ConnectTimeout):
        hasty.get(server.url.replace("http:", "https:"))


def test_a_slow_name_lookup_is_given_up_at_the_deadline(
    hasty: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: given_up.wait() and [])
    with pytest.raises(httpx.ConnectTimeout):
        hasty.get("http://slow.example")
    given_up.set()


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "x" * 70 + ".example", "256.1.1.1"])
def test_a_host_without_an_address_is_unreachable(http: OutboundClient, host: str) -> None:
    with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL)):
        http.get(f"http://{host}/")


def test_the_next_address_is_tried_if_the_first_refuses(
    http: OutboundClient, resolve: Callable[..., None]
) -> None:
    resolve("two.example", "127.0.0.2", "127.0.0.1")
    with raw_server(answering(answer(b"here"))) as server:
        assert http.get(f"http://two.example:{server.port}").content == b"here"


def test_each_call_on_a_reused_connection_has_the_whole_deadline() -> None:
    connections: list[socket.socket] = []

    def script(server: RawServer, connection: socket.socket) -> None:
        connections.append(connection)
        while server.head(connection):
            server.closing.wait(0.6)
            connection.sendall(answer(b"late"))

    with raw_server(script) as server, OutboundClient(1.1, BYTES_MAX) as http:
        assert [http.get(server.url).content for _ in range(2)] == [b"late"] * 2
    assert len(connections) == 1


def test_a_deadline_shared_by_two_calls_bounds_both(http: OutboundClient) -> None:
    def script(server: RawServer, connection: socket.socket) -> None:
        while server.head(connection):
            server.closing.wait(0.6)
            connection.sendall(answer(b"late"))

    deadline = Deadline(1.1)
    with raw_server(script) as server:
        assert http.get(server.url, timeout=deadline).content == b"late"
        with pytest.raises(httpx.ReadTimeout):
            http.get(server.url, timeout=deadline)


def test_each_thread_has_its_own_deadline(http: OutboundClient) -> None:
    outcomes: list[str] = []

    def script(server: RawServer, connection: socket.socket) -> None:
        if b"/slow" in server.head(connection):
            server.closing.wait()
        else:
            connection.sendall(answer(b"quick"))

    def call(path: str) -> None:
        try:
            outcomes.append(http.get(f"{server.url}/{path}", timeout=1).text)
        except httpx.ReadTimeout:
            outcomes.append("no answer")

    with raw_server(script) as server:
        threads = [
            threading.Thread(target=call, args=(path,)) for path in ("slow", "quick", "slow")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["no answer", "no answer", "quick"]


# --- A limit for an answer's bytes ---


def test_an_answer_up_to_the_limit_is_read(http: OutboundClient) -> None:
    body = bytes(BYTES_MAX)
    plain, packed = answer(body), answer(gzip.compress(body), b"Content-Encoding: gzip")
    older = answer(gzip.compress(body), b"Content-Encoding: X-GZip")
    named = answer(body, b"Content-Encoding: identity")
    with raw_server(answering(plain, packed, older, named)) as server:
        for _ in range(4):
            assert http.get(server.url).content == body


def test_an_answer_over_the_limit_is_no_answer(http: OutboundClient) -> None:
    body = bytes(BYTES_MAX + 1)
    for too_large in (answer(body), answer(gzip.compress(body), b"Content-Encoding: gzip")):
        with raw_server(answering(too_large)) as server, pytest.raises(AnswerTooLarge):
            http.get(server.url)


def test_an_endless_answer_is_read_up_to_the_limit(http: OutboundClient) -> None:
    def flood(server: RawServer, connection: socket.socket) -> None:
        server.head(connection)
        connection.sendall(OK + b"\r\n")
        while not server.closing.is_set():
            connection.sendall(bytes(65_536))

    with raw_server(flood) as server, pytest.raises(AnswerTooLarge):
        http.get(server.url)


def test_a_gzip_bomb_is_inflated_up_to_the_limit(
    http: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    inflated: list[int] = []

    class CountingDecompressor:
        def __init__(self, wbits: int) -> None:
            self._own = decompressobj(wbits)

        @property
        def eof(self) -> bool:
            return self._own.eof

        def decompress(self, data: bytes, length: int) -> bytes:
            part = self._own.decompress(data, length)
            inflated.append(len(part))
            return part

    decompressobj = zlib.decompressobj
    # A hundred KB that inflate to 100 MB.
    compressor = zlib.compressobj(9, wbits=31)
    bomb = b"".join(compressor.compress(bytes(1_000_000)) for _ in range(100)) + compressor.flush()
    assert len(bomb) < BYTES_MAX
    with raw_server(answering(answer(bomb, b"Content-Encoding: gzip"))) as server:
        monkeypatch.setattr(zlib, "decompressobj", CountingDecompressor)
        with pytest.raises(AnswerTooLarge):
            http.get(server.url)
    assert sum(inflated) == BYTES_MAX + 1


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", b"not gzip"),
        (b"gzip", gzip.compress(b"cut off", mtime=0)[:-1]),
        (b"gzip", gzip.compress(b"changed", mtime=0)[:-8] + bytes(8)),
        (b"deflate", zlib.compress(b"{}")),
        (b"br", b"\x0b\x01\x80{}\x03"),
        (b"gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)),
    ],
)
def test_a_broken_or_unrequested_encoding_is_no_answer(
    http: OutboundClient, encoding: bytes, body: bytes
) -> None:
    with (
        raw_server(answering(answer(body, b"Content-Encoding: " + encoding))) as server,
        pytest.raises(httpx.DecodingError),
    ):
        http.get(server.url)
    assert b"\r\naccept-encoding: gzip\r\n" in server.heads[0].lower()
    assert b"\r\nuser-agent: relay\r\n" in server.heads[0].lower()


def test_an_empty_answer_needs_no_encoding(http: OutboundClient) -> None:
    empty = b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"
    with raw_server(answering(empty)) as server:
        assert http.get(server.url).content == b""


def test_endless_headers_are_no_answer(http: OutboundClient) -> None:
    def flood(server: RawServer, connection: socket.socket) -> None:
        server.head(connection)
        connection.sendall(OK + b"x-long: ")
        while not server.closing.is_set():
            connection.sendall(b"x" * 65_536)

    with raw_server(flood) as server, pytest.raises(httpx.RemoteProtocolError):
        http.get(server.url)


# --- No state between calls ---


def test_a_cookie_is_neither_stored_nor_sent(http: OutboundClient) -> None:
    setting = answer(b"", b"Set-Cookie: tenant=acme; Path=/", b"Set-Cookie: b=c; Domain=127.0.0.1")
    with (
        raw_server(answering(setting, setting)) as server,
        raw_server(answering(answer(b""))) as other,
    ):
        for url in (server.url, f"{server.url}/elsewhere", other.url):
            http.get(url)
    assert len(http.cookies.jar) == 0
    assert not any(b"cookie" in head.lower() for head in server.heads + other.heads)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(http: OutboundClient, status: int) -> None:
    with raw_server(answering(answer(b""))) as other:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
        with raw_server(answering(head.encode())) as server:
            assert http.post(server.url, content=b"{}").status_code == status
    assert other.heads == []


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        raw_server(answering(answer(b"the host's own"))) as server,
        raw_server(answering(answer(b"a proxy's"))) as proxy,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with OutboundClient(5, BYTES_MAX) as http:
            assert http.get(server.url).content == b"the host's own"
    assert proxy.heads == []


def test_a_call_without_a_deadline_is_an_error(http: OutboundClient) -> None:
    with pytest.raises(TypeError):
        http.get("http://127.0.0.1:1", timeout=None)
