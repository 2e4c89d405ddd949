"""The parts that functions are made of which call sites, or have them replayed, once each."""

import time
from typing import TYPE_CHECKING

from relay.aws import sqs_client
from relay.catalog import ContainerStore
from relay.delivery.access import SiteAccess
from relay.delivery.bringing import Bringing
from relay.delivery.confirming import Confirming
from relay.delivery.dispatch import Dispatch
from relay.delivery.health import Clock
from relay.delivery.owing import Owing
from relay.delivery.requesting import Requesting
from relay.delivery.sites import Sites
from relay.edge.parts import TenantParts
from relay.edge.replays import ReplaysQueue
from relay.jira.client import http_client
from relay.record import DebtStore, RecordStore
from relay.settings import DeliverySettings, SiteSettings
from relay.tenants import StandingStore

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SiteParts(TenantParts):
    """Of a function that calls sites, too."""

    def __init__(self, settings: SiteSettings) -> None:
        super().__init__(settings)
        http = http_client()
        self.access = SiteAccess(
            self.tenants, self.choices, http, settings.app_key, settings.jira_identity
        )
        standings = StandingStore(self.dynamodb, settings.tenants_table)
        self.sites = Sites(self.links, standings, self.access)


class ReplayParts:
    """Of a function that has sites replayed. `clock` is in epoch seconds."""

    def __init__(self, parts: TenantParts, queue_url: str, clock: Clock = time.time) -> None:
        self.sqs: SQSClient = sqs_client()
        self.queue = ReplaysQueue(self.sqs, queue_url)
        self.dispatch = Dispatch(parts.replays, self.queue, clock)
        self.requesting = Requesting(
            parts.tenants,
            parts.links,
            parts.replays,
            parts.troubles,
            parts.choices,
            self.dispatch,
        )


class DeliveryParts(SiteParts):
    """Of a function that brings something to sites."""

    def __init__(self, settings: DeliverySettings, clock: Clock = time.time) -> None:
        super().__init__(settings)
        replaying = ReplayParts(self, settings.replays_queue, clock)
        self.sqs = replaying.sqs
        self.queue = replaying.queue
        self.dispatch = replaying.dispatch
        self.requesting = replaying.requesting
        self.record = RecordStore(self.dynamodb, settings.record_table)
        self.debts = DebtStore(self.dynamodb, settings.record_table)
        self.containers = ContainerStore(self.dynamodb, settings.catalog_table)
        self.owing = Owing(self.debts, self.replays, self.troubles, self.dispatch)
        self.confirming = Confirming(self.queue, self.sites, self.record, settings.confirm_percent)
        self.bringing = Bringing(
            self.record,
            self.sites,
            self.troubles,
            self.containers,
            self.confirming,
            self.requesting,
            clock,
        )
