"""From a message to the record and to every linked site."""

from relay.delivery.delivery import Delivery
from relay.delivery.linking import Linking
from relay.delivery.message import Message, packed, parse_message
from relay.delivery.sites import Site, Sites

__all__ = ["Delivery", "Linking", "Message", "Site", "Sites", "packed", "parse_message"]
