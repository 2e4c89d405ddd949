"""Ports on loopback, from the environment or free ones."""

import os
import socket

from infra.local.failure import StackFailure

HOST = "127.0.0.1"


def port_for(variable: str) -> int:
    """The port in the environment variable, or a free one if it is not set.

    Raises StackFailure if the value is not a port, or the port is in use.
    """
    given = os.environ.get(variable, "")
    if not given:
        return free_port()
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise StackFailure(f"{variable} must be a port number, not {given!r}.")
    if not _is_free(int(given)):
        raise StackFailure(f"{variable} is {given}, but that port is in use.")
    return int(given)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def free_port() -> int:
    """A port that nothing listens on; another process may open it meanwhile."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
