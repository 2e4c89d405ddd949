"""A server on loopback that plays a script on each connection, byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class RawServer:
    """`heads` are the requests' heads in order; `closing` ends every wait of a script."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def head(self, connection: socket.socket) -> bytes:
        """The next request's head; empty if the client has closed the connection."""
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65_536)
            if not part:
                return b""
            received += part
        self.heads.append(received)
        return received

    def trickle(self, connection: socket.socket, part: bytes) -> None:
        """Send this every 20 ms while the client is connected."""
        while not self.closing.wait(0.02):
            connection.sendall(part)


Script = Callable[[RawServer, socket.socket], None]


@contextmanager
def raw_server(script: Script) -> Iterator[RawServer]:
    """Play the script on each connection, then close it."""

    def play(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            script(server, connection)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if server.closing.is_set():
                connection.close()
                return
            connections.append(connection)
            threads.append(threading.Thread(target=play, args=(connection,)))
            threads[-1].start()

    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(listener.getsockname()[1])
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            server.closing.set()
            socket.create_connection(("127.0.0.1", server.port)).close()
            accepting.join()
            for connection in connections:
                with suppress(OSError):  # it may have ended already
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
