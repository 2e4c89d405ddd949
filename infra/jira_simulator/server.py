"""The simulator's process: binds the port, announces its URL, serves and stops."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import create_app
from .faults import CONNECTION
from .install_keys import InstallKey
from .settings import Settings

# uvicorn passes it to asyncio, which accepts fractions. Answers that are still delayed are dropped.
_GRACE_SECONDS = cast(int, 0.3)


def serve(host: str, port: int, key: InstallKey, settings: Settings, ready: Path | None) -> None:
    """Serves until SIGTERM or SIGINT; port 0 means a free port.

    Once it answers, it writes the file `ready` and prints its URL. It removes the file at the end.
    """
    listener = _bind(host, port)
    url = f"http://{_url_host(host)}:{listener.getsockname()[1]}"

    def announce() -> None:
        if ready:
            _write_ready_file(ready, url, key)
        print(f"Jira simulator: {url}", flush=True)

    config = uvicorn.Config(
        create_app(url, key, settings),
        http=_Protocol,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _end_quietly()
    try:
        _Server(config, announce).run(sockets=[listener])
    finally:
        if ready:
            ready.unlink(missing_ok=True)


class _Protocol(H11Protocol):
    """Passes the connection to the application, which may close it without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_connection(self.app, transport)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._announce()


def _bind(host: str, port: int) -> socket.socket:
    """Binds a TCP socket.

    The protocol is explicit, because asyncio disables Nagle's delay (40 ms per small answer) only
    for a socket with IPPROTO_TCP.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


def _with_connection(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {**scope.get("extensions", {}), CONNECTION: transport}
        await app(scope, receive, send)

    return with_connection


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _write_ready_file(path: Path, url: str, key: InstallKey) -> None:
    """Writes the file atomically, readable by this user only: it contains the private key."""
    document = {"url": url, "kid": key.kid, "pem": key.private_pem}
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(document, file)
    part.replace(path)


def _end_quietly() -> None:
    """Exit with status 0: uvicorn stops, then raises the signal again for the previous handler."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
