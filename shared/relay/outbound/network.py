"""A network backend for httpcore that keeps one deadline for a whole call.

httpx's own timeouts apply to each read and each write, so a host that sends one byte per second
could hold a call indefinitely.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION

# Called with a host, its port and the host's addresses before a connection is made. Raises
# httpcore.ConnectError to refuse it.
AddressCheck = Callable[[str, int, Sequence[str]], None]

NO_ADDRESS = "the host has no address"
# Per address of a host; then the next address is tried.
_CONNECT_SECONDS = 5


class Deadline(float):
    """A timeout in seconds that starts when it is created.

    It is a float, so that httpx and httpcore pass it unchanged to the network backend, which reads
    the time left. One that is passed to several requests limits them together.
    """

    _ends_at: float

    def __new__(cls, seconds: float) -> "Deadline":
        deadline = super().__new__(cls, seconds)
        deadline._ends_at = time.monotonic() + seconds
        return deadline

    def left(self) -> float:
        """The seconds left; zero or negative once the deadline has passed."""
        return self._ends_at - time.monotonic()


class Network(httpcore.NetworkBackend):
    """The backend. Every timeout that it receives must be a Deadline; TypeError otherwise."""

    def __init__(self, check: AddressCheck | None = None) -> None:
        self._check = check
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the resolved and checked addresses that accepts.

        Raises httpcore.ConnectError, httpcore.ConnectTimeout, or what `check` raises.
        """
        addresses = _resolved(host, port, timeout)
        if self._check:
            self._check(host, port, addresses)
        failure: Exception = httpcore.ConnectError(NO_ADDRESS)
        for address in addresses:
            seconds = min(_CONNECT_SECONDS, _left(timeout, httpcore.ConnectTimeout))
            try:
                stream = self._backend.connect_tcp(
                    address, port, seconds, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream)
        raise failure


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore's own stream would restart the timeout with each part that is sent.
        connection: socket.socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        while rest:
            seconds = _left(timeout, httpcore.WriteTimeout)
            with _write_errors():
                connection.settimeout(seconds)
                rest = rest[connection.send(rest) :]

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        # Python applies the timeout to the whole handshake.
        seconds = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, expired: type[httpcore.TimeoutException]) -> float:
    """The seconds left. Raises `expired` if there are none."""
    if not isinstance(timeout, Deadline):
        raise TypeError("a call must have a deadline")
    seconds = timeout.left()
    if seconds <= 0:
        raise expired("the deadline of the call has passed")
    return seconds


def _resolved(host: str, port: int, timeout: float | None) -> list[str]:
    """The host's addresses. Raises httpcore.ConnectError, httpcore.ConnectTimeout.

    The C library's lookup has no timeout, so a thread runs it, and is abandoned at the deadline.
    """
    results: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except (OSError, UnicodeError) as error:
            results.put(error)

    seconds = _left(timeout, httpcore.ConnectTimeout)
    threading.Thread(target=resolve, daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the host was not resolved in time") from None
    if isinstance(result, Exception):
        raise httpcore.ConnectError(NO_ADDRESS) from result
    return result


@contextmanager
def _write_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpcore.WriteTimeout(error) from error
    except OSError as error:
        raise httpcore.WriteError(error) from error
