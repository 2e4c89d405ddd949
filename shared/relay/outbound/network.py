"""Connections under a deadline: the network backend that httpcore connects, reads and writes with.

httpx has a timeout for each read and each write only, so a host that sends a byte a second would
hold a call for ever.
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

# Raises httpcore.ConnectError where no connection may be made from a host and port to one of the
# addresses that the host has.
AddressCheck = Callable[[str, int, Sequence[str]], None]

NO_ADDRESS = "the host has no address"
# For one of a host's addresses; the next one is tried then.
_CONNECT_SECONDS = 5


class Deadline(float):
    """A timeout in seconds that starts to run when it is made.

    It is a float so that httpx and httpcore pass it on, like any timeout and unchanged, to the
    network backend, which asks how much of it is left. One given to several requests bounds them
    together.
    """

    _ends_at: float

    def __new__(cls, seconds: float) -> "Deadline":
        deadline = super().__new__(cls, seconds)
        deadline._ends_at = time.monotonic() + seconds
        return deadline

    def left(self) -> float:
        """Seconds; not positive once the deadline has passed."""
        return self._ends_at - time.monotonic()


class Network(httpcore.NetworkBackend):
    """Every timeout that it is given must be a Deadline."""

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
        """Connect to the very addresses that were resolved and checked, in their order."""
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
        # Not by httpcore's own stream: it has a timeout for each part that the other side takes.
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
        # Python counts a handshake's timeout over all of it.
        seconds = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, expired: type[httpcore.TimeoutException]) -> float:
    """Raises `expired` if nothing is left."""
    if not isinstance(timeout, Deadline):
        raise TypeError("a call must have a deadline")
    seconds = timeout.left()
    if seconds <= 0:
        raise expired("the deadline of the call has passed")
    return seconds


def _resolved(host: str, port: int, timeout: float | None) -> list[str]:
    """The host's addresses.

    The C library takes no timeout for this, so a thread waits for it, and is left to itself if that
    takes too long.
    """
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    seconds = _left(timeout, httpcore.ConnectTimeout)
    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the host's address was not found in time") from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError(NO_ADDRESS) from answer
    return answer


@contextmanager
def _write_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpcore.WriteTimeout(error) from error
    except OSError as error:
        raise httpcore.WriteError(error) from error
