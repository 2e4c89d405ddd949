"""Which IP addresses are public, and which hosts are known not to be."""

import ipaddress
import re
import socket
from collections.abc import Iterable

from relay.outbound.origins import origin_expression

_IPV6_UNICAST = ipaddress.ip_network("2000::/3")
# The last four bytes are an IPv4 address, to which a gateway translates.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        # Python's versions differ on these: protocol assignments, 6to4, Teredo, documentation.
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
    )
)


def is_exempt(scheme: str, host: str, port: int, test_origins: Iterable[str]) -> bool:
    """Whether `scheme://host:port` is one of these origins."""
    origin = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    return any(re.fullmatch(origin_expression(exempt), origin) for exempt in test_origins)


def is_public(address: str) -> bool:
    """Whether this is a public IP address; False for text that is not an IP address."""
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
    """Whether the host is known not to be public without a DNS lookup: `localhost`, or an address
    in any spelling that a resolver accepts, such as `127.1`."""
    address = _address_in(host)
    return _is_localhost(host) or (address is not None and not is_public(address))


def is_loopback(host: str) -> bool:
    """Whether the host is `localhost`, or a loopback address in any spelling."""
    address = _address_in(host)
    return _is_localhost(host) or (
        address is not None and ipaddress.ip_address(address).is_loopback
    )


def _is_localhost(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _address_in(host: str) -> str | None:
    """The IP address that the host is written as; None for a name."""
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
