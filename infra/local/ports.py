"""Ports on loopback: given by the environment, or free ones."""

import os
import socket

from infra.local.failure import StackFailure

HOST = "127.0.0.1"


def port_for(variable: str) -> int:
    """The port that the environment variable names, or a free one where it is not set."""
    given = os.environ.get(variable, "")
    if not given:
        return free_port()
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise StackFailure(f"{variable} has to be a port number, and is {given!r}.")
    if not _is_free(int(given)):
        raise StackFailure(f"{variable} is {given}, and something else listens on that port.")
    return int(given)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
