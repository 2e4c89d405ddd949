"""The parts that several functions are made of, made at init, once each."""

import time
from functools import cached_property
from typing import TYPE_CHECKING

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog import ContainerStore
from relay.delivery import (
    Bringing,
    Confirming,
    Dispatch,
    Owing,
    Requesting,
    SiteAccess,
    Sites,
)
from relay.delivery.health import Clock
from relay.edge.replays import ReplaysQueue
from relay.identity import CallbackVerifier, ForgeKeys, ForgeTokenVerifier, SiteVerifier
from relay.jira import http_client
from relay.record import DebtStore, RecordStore
from relay.secrets import Secrets
from relay.settings import DeliverySettings, ForgeSettings, SiteSettings, TenantSettings
from relay.tenants import (
    ChoiceStore,
    LinkStore,
    ReplayStore,
    StandingStore,
    TenantStore,
    TroubleStore,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


class TenantParts:
    """Of a function that knows tenants."""

    def __init__(self, settings: TenantSettings) -> None:
        self.dynamodb: DynamoDBClient = dynamodb_client()
        self.secrets = Secrets(kms_client(), settings.secrets_key)
        table = settings.tenants_table
        self.tenants = TenantStore(self.dynamodb, table, self.secrets)
        self.links = LinkStore(self.dynamodb, table)
        self.troubles = TroubleStore(self.dynamodb, table)
        self.replays = ReplayStore(self.dynamodb, table)
        self.choices = ChoiceStore(self.dynamodb, table)


class ForgeParts(TenantParts):
    """Of a function that sites call: `site` proves which of them, `forge` that it is Forge."""

    def __init__(self, settings: ForgeSettings) -> None:
        super().__init__(settings)
        self._settings = settings
        self.site = SiteVerifier(CallbackVerifier(self.tenants), lambda: self.forge, self.tenants)

    @cached_property
    def forge(self) -> ForgeTokenVerifier:
        settings = self._settings
        keys = ForgeKeys(http_client(), settings.forge_keys_url)
        return ForgeTokenVerifier(keys, settings.forge_app_id, settings.test_api_origins)


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
        self.dispatch = replaying.dispatch
        self.requesting = replaying.requesting
        self.record = RecordStore(self.dynamodb, settings.record_table)
        self.debts = DebtStore(self.dynamodb, settings.record_table)
        self.containers = ContainerStore(self.dynamodb, settings.catalog_table)
        self.owing = Owing(self.debts, self.replays, self.troubles, self.dispatch)
        self.confirming = Confirming(
            replaying.queue, self.sites, self.record, settings.confirm_percent
        )
        self.bringing = Bringing(
            self.record,
            self.sites,
            self.troubles,
            self.containers,
            self.confirming,
            self.requesting,
            clock,
        )
