"""Relay calls a URL from a customer at public addresses only."""

from collections.abc import Iterable, Sequence

import httpx

from relay.outbound.addresses import is_exempt, is_loopback, is_public
from relay.outbound.network import AddressCheck


class AddressRefused(httpx.ConnectError):
    """The host has an address that is not public."""


def public_only(test_origins: Iterable[str] = ()) -> AddressCheck:
    """A check that raises AddressRefused for a host with any address that is not public.

    A host of `test_origins` is exempt; with plain HTTP, at loopback addresses only.
    """
    exempt = tuple(test_origins)

    def check(host: str, port: int, addresses: Sequence[str]) -> None:
        if all(map(is_public, addresses)) or is_exempt("https", host, port, exempt):
            return
        # A test origin with plain HTTP may be on this machine, but not elsewhere in its network.
        if not (all(map(is_loopback, addresses)) and is_exempt("http", host, port, exempt)):
            raise AddressRefused("the host has an address that is not public")

    return check
