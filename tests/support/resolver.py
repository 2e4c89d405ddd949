"""A name's addresses as a test wants them; every other name has its own."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """`resolve(host, *addresses)` gives the host these addresses from now on."""
    given: dict[str, tuple[str, ...]] = {}
    own: Callable[..., list[Any]] = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> list[Any]:
        addresses = given.get(host, (host,))
        return [found for one in addresses for found in own(one, *args, **options)]

    def put(host: str, *addresses: str) -> None:
        given[host] = addresses

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return put
