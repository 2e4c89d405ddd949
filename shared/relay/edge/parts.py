"""The parts that every function which brings something to sites is made of."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.catalog import ContainerStore
from relay.delivery import Bringing, Confirming, Dispatch, Owing, Sites
from relay.edge.replays import ReplaysQueue
from relay.jira import http_client
from relay.record import DebtStore, RecordStore
from relay.secrets import Secrets
from relay.settings import DeliverySettings
from relay.tenants import LinkStore, ReplayStore, TenantStore, TroubleStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


class DeliveryParts:
    """Made at init, once, and shared by what a function does. `clock` is in epoch seconds."""

    def __init__(
        self, settings: DeliverySettings, clock: Callable[[], float] = time.time
    ) -> None:
        self.dynamodb: DynamoDBClient = dynamodb_client()
        dynamodb = self.dynamodb
        self.sqs: SQSClient = sqs_client()
        secrets = Secrets(kms_client(), settings.secrets_key)
        self.tenants = TenantStore(dynamodb, settings.tenants_table, secrets)
        self.links = LinkStore(dynamodb, settings.tenants_table)
        self.troubles = TroubleStore(dynamodb, settings.tenants_table)
        self.replays = ReplayStore(dynamodb, settings.tenants_table)
        self.record = RecordStore(dynamodb, settings.record_table)
        self.debts = DebtStore(dynamodb, settings.record_table)
        self.containers = ContainerStore(dynamodb, settings.catalog_table)
        queue = ReplaysQueue(self.sqs, settings.replays_queue)
        self.sites = Sites(
            self.tenants,
            self.links,
            self.troubles,
            self.replays,
            http_client(),
            settings.app_key,
        )
        self.dispatch = Dispatch(self.replays, queue, clock)
        self.owing = Owing(self.debts, self.replays, self.troubles, self.dispatch)
        self.confirming = Confirming(queue, self.sites, self.record, settings.confirm_percent)
        self.bringing = Bringing(
            self.record, self.sites, self.troubles, self.containers, self.confirming, clock
        )
