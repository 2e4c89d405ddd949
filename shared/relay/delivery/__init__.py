"""From a message to the record and to every linked site; and what a site is owed, replayed."""

from relay.delivery.access import SiteAccess
from relay.delivery.bringing import Bringing
from relay.delivery.components import Components
from relay.delivery.confirming import Confirming, Sample
from relay.delivery.deleting import Deleting
from relay.delivery.delivery import Delivery
from relay.delivery.dispatch import Dispatch
from relay.delivery.linking import Linking
from relay.delivery.message import Message, packed, parse_message
from relay.delivery.owing import Owing
from relay.delivery.replaying import Replaying
from relay.delivery.requesting import Requesting
from relay.delivery.sites import LinkedSite, Sites
from relay.delivery.sweeping import Sweeping
from relay.delivery.tracking import AtSite, Page, Tracking, state_named
from relay.delivery.visit import TimeLeft

__all__ = [
    "AtSite",
    "Bringing",
    "Components",
    "Confirming",
    "Deleting",
    "Delivery",
    "Dispatch",
    "LinkedSite",
    "Linking",
    "Message",
    "Owing",
    "Page",
    "Replaying",
    "Requesting",
    "Sample",
    "SiteAccess",
    "Sites",
    "Sweeping",
    "TimeLeft",
    "Tracking",
    "packed",
    "parse_message",
    "state_named",
]
