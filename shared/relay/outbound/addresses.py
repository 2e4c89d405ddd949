"""Which addresses are the public internet's: a URL that a stranger gave leads to no other."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence

import httpx

from relay.outbound.network import AddressCheck
from relay.outbound.origins import origin_expression

_IPV6_UNICAST = ipaddress.ip_network("2000::/3")
# An IPv4 address is its last four bytes, and a gateway leads there.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        # Python's own table differs by version in these: protocols' own, 6to4, Teredo, documents.
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
    )
)


class AddressRefused(httpx.ConnectError):
    """The host has an address that is not public."""


def public_only(test_origins: Iterable[str] = ()) -> AddressCheck:
    """Refuses a host that has any address beside public ones, unless it is a test's."""
    exempt = tuple(test_origins)

    def check(host: str, port: int, addresses: Sequence[str]) -> None:
        if all(map(is_public, addresses)) or is_exempt("https", host, port, exempt):
            return
        # A test's plain http leads to this machine, and to no other in its network.
        if not (all(map(is_loopback, addresses)) and is_exempt("http", host, port, exempt)):
            raise AddressRefused("the host has an address that is not public")

    return check


def is_exempt(scheme: str, host: str, port: int, test_origins: Iterable[str]) -> bool:
    written = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    return any(re.fullmatch(origin_expression(one), written) for one in test_origins)


def is_public(address: str) -> bool:
    """Whether hosts of the internet have such an address; False for what is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return _is_global(found)
    if found.ipv4_mapped:
        return _is_global(found.ipv4_mapped)
    if found in _NAT64:
        return _is_global(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    return found in _IPV6_UNICAST and found.scope_id is None and _is_global(found)


def is_never_public(host: str) -> bool:
    """Whether the host, without being looked up, is known not to be public: this machine by name,
    or an address in any spelling that a resolver takes, such as `127.1`."""
    address = _address_in(host)
    return _is_localhost(host) or (address is not None and not is_public(address))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by name or by an address in any spelling."""
    address = _address_in(host)
    return _is_localhost(host) or (
        address is not None and ipaddress.ip_address(address).is_loopback
    )


def _is_localhost(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _address_in(host: str) -> str | None:
    """The host's address, if that is what it is written as."""
    name = host.lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        try:
            return socket.inet_ntoa(socket.inet_aton(name))
        except OSError:
            return None


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC)
    )
