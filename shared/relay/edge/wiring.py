"""The dependencies of the functions: each is created, and its code loaded, at its first use.

Each class needs the settings of the functions that use it, so mypy finds a missing variable.
"""

import time
from functools import cached_property
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.initialization import before_snapshot
from relay.secrets import NoSecrets, Secrets
from relay.settings import (
    DeliverySettings,
    ForgeSettings,
    ReplayerSettings,
    SiteSettings,
    SubmitterSettings,
    TenantSettings,
    TenantsTableSettings,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from relay.catalog.containers import ContainerStore
    from relay.delivery.access import SiteAccess
    from relay.delivery.confirmation import Confirmation
    from relay.delivery.session import Clock, TimeLeft
    from relay.delivery.site_delivery import SiteDelivery
    from relay.delivery.sites import Sites
    from relay.identity.forge_token import ForgeTokenVerifier
    from relay.identity.site import SiteVerifier
    from relay.provider.submissions import SubmissionDelivery
    from relay.queues.replays import ReplaysQueue
    from relay.record.debts import DebtStore
    from relay.record.store import RecordStore
    from relay.replays.debts import DebtRecorder
    from relay.replays.replayer import Replayer
    from relay.replays.schedule import ReplaySchedule
    from relay.replays.starter import ReplayStarter
    from relay.replays.sweeper import Sweeper
    from relay.tenants.identity_choice import IdentityChoiceStore
    from relay.tenants.links import LinkStore
    from relay.tenants.replays import ReplayStore
    from relay.tenants.snapshots import SiteSnapshotStore
    from relay.tenants.store import TenantStore
    from relay.tenants.troubles import TroubleStore


class TenantParts:
    """Lazily built dependencies of functions that work with tenants.

    Tenants' secrets can be read only if the settings name the KMS key.
    """

    def __init__(self, settings: TenantsTableSettings) -> None:
        self.dynamodb: DynamoDBClient = dynamodb_client()
        self.secrets = (
            Secrets(kms_client(), settings.secrets_key)
            if isinstance(settings, TenantSettings)
            else NoSecrets()
        )
        self._table, self._plain_ids = settings.tenants_table, settings.plain_ids == "on"

    @cached_property
    def sqs(self) -> "SQSClient":
        return sqs_client()

    @cached_property
    def tenants(self) -> "TenantStore":
        from relay.tenants.store import TenantStore

        return TenantStore(self.dynamodb, self._table, self.secrets)

    @cached_property
    def links(self) -> "LinkStore":
        from relay.tenants.links import LinkStore

        return LinkStore(self.dynamodb, self._table, self._plain_ids)

    @cached_property
    def troubles(self) -> "TroubleStore":
        from relay.tenants.troubles import TroubleStore

        return TroubleStore(self.dynamodb, self._table)

    @cached_property
    def replays(self) -> "ReplayStore":
        from relay.tenants.replays import ReplayStore

        return ReplayStore(self.dynamodb, self._table)

    @cached_property
    def choices(self) -> "IdentityChoiceStore":
        from relay.tenants.identity_choice import IdentityChoiceStore

        return IdentityChoiceStore(self.dynamodb, self._table)

    @cached_property
    def snapshots(self) -> "SiteSnapshotStore":
        from relay.tenants.snapshots import SiteSnapshotStore

        return SiteSnapshotStore(self.dynamodb, self._table)


class ForgeParts(TenantParts):
    """Lazily built dependencies of functions that sites call.

    `site` verifies calls of a site; `forge` verifies calls of Forge itself.
    """

    def __init__(self, settings: ForgeSettings) -> None:
        super().__init__(settings)
        self._settings = settings
        before_snapshot(lambda: self.forge)

    @cached_property
    def site(self) -> "SiteVerifier":
        from relay.identity.callback import CallbackVerifier
        from relay.identity.site import SiteVerifier

        # Most sites call through Connect, so the code for Forge's tokens is not loaded at init.
        return SiteVerifier(CallbackVerifier(self.tenants), lambda: self.forge, self.tenants)

    @cached_property
    def forge(self) -> "ForgeTokenVerifier":
        from relay.identity.forge_keys import ForgeKeys
        from relay.identity.forge_token import ForgeTokenVerifier
        from relay.identity.key_servers import key_server_client

        settings = self._settings
        keys = ForgeKeys(key_server_client(), settings.forge_keys_url)
        return ForgeTokenVerifier(
            keys, settings.forge_app_id, settings.forge_environments, settings.test_api_origins
        )


class ReplayParts:
    """Dependencies of functions that start replays. `clock` returns epoch seconds."""

    def __init__(self, parts: TenantParts, queue_url: str, clock: "Clock" = time.time) -> None:
        self._parts, self._queue_url, self._clock = parts, queue_url, clock

    @cached_property
    def queue(self) -> "ReplaysQueue":
        from relay.queues.replays import ReplaysQueue

        return ReplaysQueue(self._parts.sqs, self._queue_url)

    @cached_property
    def schedule(self) -> "ReplaySchedule":
        from relay.replays.schedule import ReplaySchedule

        return ReplaySchedule(self._parts.replays, self.queue, self._clock)

    @cached_property
    def starter(self) -> "ReplayStarter":
        from relay.replays.starter import ReplayStarter

        parts = self._parts
        return ReplayStarter(
            parts.tenants, parts.links, parts.replays, parts.troubles, parts.choices, self.schedule
        )


class SiteParts(TenantParts):
    """Dependencies of functions that call sites. `clock` returns epoch seconds."""

    # The deadline of a call to Jira; None for the client's own.
    jira_seconds: float | None = None

    def __init__(self, settings: SiteSettings, clock: "Clock" = time.time) -> None:
        super().__init__(settings)
        self._app_key, self._jira_identity = settings.app_key, settings.jira_identity
        self._clock = clock

    @cached_property
    def access(self) -> "SiteAccess":
        from relay.delivery.access import SiteAccess
        from relay.jira.client import http_client

        http = http_client(self.jira_seconds)
        return SiteAccess(self.tenants, self.choices, http, self._app_key, self._jira_identity)

    @cached_property
    def sites(self) -> "Sites":
        from relay.delivery.sites import Sites

        return Sites(self.links, self.snapshots, self.troubles, lambda: self.access, self._clock)


class DeliveryParts(SiteParts):
    """Dependencies of functions that deliver to sites. `clock` returns epoch seconds."""

    def __init__(self, settings: DeliverySettings, clock: "Clock" = time.time) -> None:
        super().__init__(settings, clock)
        self._delivery = settings
        self.replay_parts = ReplayParts(self, settings.replays_queue, clock=clock)
        self.schedule = self.replay_parts.schedule
        self.starter = self.replay_parts.starter

    @cached_property
    def record(self) -> "RecordStore":
        from relay.record.store import RecordStore

        return RecordStore(self.dynamodb, self._delivery.record_table)

    @cached_property
    def debts(self) -> "DebtStore":
        from relay.record.debts import DebtStore

        return DebtStore(self.dynamodb, self._delivery.record_table)

    @cached_property
    def containers(self) -> "ContainerStore":
        from relay.catalog.containers import ContainerStore

        return ContainerStore(self.dynamodb, self._delivery.catalog_table)

    @cached_property
    def confirmation(self) -> "Confirmation":
        from relay.delivery.confirmation import Confirmation

        queue = self.replay_parts.queue
        return Confirmation(queue, self.sites, self.record, self._delivery.confirm_percent)

    @cached_property
    def delivery(self) -> "SiteDelivery":
        from relay.delivery.site_delivery import SiteDelivery

        # Every delivery calls Jira: its client is loaded at init, when Lambda gives a whole core.
        _ = self.access
        return SiteDelivery(
            self.record, self.sites, self.containers, self.confirmation, self.starter.replay_all
        )

    @cached_property
    def debt_recorder(self) -> "DebtRecorder":
        from relay.replays.debts import DebtRecorder

        return DebtRecorder(self.debts, self.replays, self.troubles, self.schedule)

    def submissions(self, settings: SubmitterSettings) -> "SubmissionDelivery":
        """A SubmissionDelivery that delivers components if the settings enable them."""
        from relay.catalog.erasures import ErasureStore
        from relay.catalog.services import ServiceStore
        from relay.provider.recording import SubmissionRecorder
        from relay.provider.services import ServiceContainers
        from relay.provider.submissions import SubmissionDelivery
        from relay.record.receipts import ReceiptStore

        services = ServiceStore(self.dynamodb, self._delivery.catalog_table)
        recorder = SubmissionRecorder(
            self.record,
            ReceiptStore(self.dynamodb, self._delivery.record_table),
            ServiceContainers(services, settings.components_module == "on"),
            ErasureStore(self.dynamodb, self._delivery.catalog_table),
        )
        return SubmissionDelivery(
            recorder, self.record, self.sites, self.delivery, self.debt_recorder, self.schedule
        )

    @cached_property
    def sweeper(self) -> "Sweeper":
        from relay.replays.sweeper import Sweeper

        return Sweeper(
            self.tenants, self.links, self.replays, self.sites, self.schedule, self.starter
        )

    def replayer(self, settings: ReplayerSettings) -> "Replayer":
        """A Replayer that delivers components if the settings enable them."""
        from relay.replays.debts import DebtPayment
        from relay.replays.replayer import Replayer
        from relay.replays.stages import ReplayStages

        stages = ReplayStages(
            self.record,
            self.containers,
            self.delivery,
            self.debt_recorder,
            DebtPayment(self.record, self.debts, self.delivery, self.debt_recorder),
            settings.components_module == "on",
        )
        return Replayer(
            self.replays, self.sites, self.troubles, self.schedule, self.debt_recorder, stages
        )


def time_left(context: LambdaContext) -> "TimeLeft":
    """A function that returns the seconds until Lambda ends the invocation."""
    return lambda: context.get_remaining_time_in_millis() / 1000
