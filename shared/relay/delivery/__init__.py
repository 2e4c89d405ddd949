"""From a message to the record and to every linked site."""

from relay.delivery.components import Components
from relay.delivery.deleting import Deleting
from relay.delivery.delivery import Delivery
from relay.delivery.linking import Linking
from relay.delivery.message import Message, packed, parse_message
from relay.delivery.sites import Site, Sites
from relay.delivery.tracking import AtSite, Page, Tracking, state_named

__all__ = [
    "AtSite",
    "Components",
    "Deleting",
    "Delivery",
    "Linking",
    "Message",
    "Page",
    "Site",
    "Sites",
    "Tracking",
    "packed",
    "parse_message",
    "state_named",
]
