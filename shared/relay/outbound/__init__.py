"""How Relay calls other hosts: under one deadline, with bounded answers, and without cookies."""

from relay.outbound.client import OutboundClient
from relay.outbound.deadline import Deadline

__all__ = ["Deadline", "OutboundClient"]
