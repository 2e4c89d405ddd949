"""What the run stands on: an emulated AWS, the Jira simulator, Relay's functions, a way in."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from infra.chaos.gateway import listening
from infra.lambdas.stores import create_stores
from infra.local.embedded_aws import start_ministack
from infra.local.environment import aws_environment
from infra.local.jira_control import JiraControl
from infra.local.ports import free_port
from infra.local.processes import stop_services
from infra.local.simulator import start_simulator
from relay.identity.api_keys import ApiKeys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

    from infra.chaos.gateway import Listener

APP_KEY = "relay-operations"


@dataclass(frozen=True)
class Stage:
    """`environment` is that of all functions; the clients are the run's own, and never fail."""

    folder: Path
    listener: "Listener"
    jira: JiraControl
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    kms: "KMSClient"
    api_key: str
    environment: dict[str, str]

    @property
    def log(self) -> Path:
        return self.folder / "functions.log"


@contextmanager
def stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="relay-chaos-"))
    services = []
    try:
        embedded = start_ministack(free_port(), folder, False, [])
        services.append(embedded.service)
        jira = start_simulator(free_port(), folder, [])
        services.append(jira.service)
        with listening() as listener, JiraControl(jira.url) as control:
            session = boto3.Session("test", "test", region_name="eu-west-1")
            dynamodb = session.client("dynamodb", endpoint_url=embedded.endpoint)
            sqs = session.client("sqs", endpoint_url=embedded.endpoint)
            kms = session.client("kms", endpoint_url=embedded.endpoint)
            environment = create_stores(dynamodb, sqs, kms)
            environment |= aws_environment(embedded.endpoint) | {
                "APP_KEY": APP_KEY,
                "BASE_URL": listener.url,
                "COMPONENTS_MODULE": "off",
                "CONFIRM_PERCENT": "1",
                "JIRA_IDENTITY": "connect",
                "PLAIN_IDS": "off",
                "REGION": "eu-west-1",
                "INSTALL_KEYS_URL": f"{jira.url}/install-keys",
                "POWERTOOLS_LOG_LEVEL": "INFO",
                "REVIEW_ACTION": "on",
                "REVIEW_URL_TEMPLATE": "",
                "TEST_SITE_ORIGINS": "http://127.0.0.1:*",
                "TEST_WEBHOOK_ORIGINS": "https://127.0.0.1:*,https://localhost:*",
            }
            control.set(visibleAfterSeconds=0)
            key = ApiKeys(dynamodb, environment["API_KEYS_TABLE"]).issue()
            yield Stage(folder, listener, control, dynamodb, sqs, kms, key, environment)
    finally:
        stop_services(services)
        shutil.rmtree(folder, ignore_errors=True)
