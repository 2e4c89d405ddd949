"""How Relay calls other hosts: under one deadline, with bounded answers, and without cookies."""

from relay.outbound.client import Deadline, OutboundClient

__all__ = ["Deadline", "OutboundClient"]
