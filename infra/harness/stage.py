"""The environment of the functions: an emulated AWS, the Jira simulator, an HTTP listener."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx

from infra.harness.gateway import listening
from infra.harness.latencies import JIRA_SECONDS
from infra.lambdas.stores import create_stores
from infra.local.embedded_aws import start_ministack
from infra.local.environment import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    aws_environment,
    bare_environment,
)
from infra.local.jira_control import JiraControl
from infra.local.paths import ROOT
from infra.local.ports import HOST, free_port
from infra.local.processes import Service, start_service, stop_services
from infra.local.simulator import start_simulator
from relay.identity.api_keys import ApiKeys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

    from infra.harness.gateway import Listener

APP_KEY = "relay-operations"
# The template's defaults.
_SETTINGS = {
    "APP_KEY": APP_KEY,
    "AWS_LAMBDA_FUNCTION_NAME": "relay",
    "COMPONENTS_MODULE": "off",
    "CONFIRM_PERCENT": "0",
    "RETENTION_DAYS": "0",
    "DOCUMENTATION_URL": "",
    "FORGE_APP_ID": "",
    "FORGE_ENVIRONMENTS": "PRODUCTION",
    "FORGE_KEYS_URL": "https://forge.example.com/jwks.json",
    "HOME_URL": "",
    "JIRA_IDENTITY": "connect",
    "PLAIN_IDS": "off",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "REGION": REGION,
    "REVIEW_ACTION": "on",
    "REVIEW_URL_TEMPLATE": "",
    "ALL_JS_URL": "https://connect-cdn.atl-paas.net/all.js",
    "VENDOR_URL": "",
    "TEST_SITE_ORIGINS": "http://127.0.0.1:*",
    "TEST_WEBHOOK_ORIGINS": "https://127.0.0.1:*,https://localhost:*",
}


_START_SECONDS = 20.0


@dataclass(frozen=True)
class Stage:
    """A running stage; `environment` is that of all functions. Its clients have no faults."""

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
        """The functions' log file."""
        return self.folder / "functions.log"

    @contextmanager
    def limited_tables(self) -> Iterator[None]:
        """Enforces DynamoDB's own limits meanwhile; only the fast tables can."""
        url = f"{self.environment['AWS_ENDPOINT_URL_DYNAMODB']}/limits"
        httpx.put(url, json=True, trust_env=False).raise_for_status()
        try:
            yield
        finally:
            httpx.put(url, json=False, trust_env=False).raise_for_status()

    @contextmanager
    def delayed_jira(self, seconds: float = JIRA_SECONDS) -> Iterator[None]:
        """Jira answers after this time, meanwhile."""
        self.jira.set(answerDelaySeconds=seconds)
        try:
            yield
        finally:
            self.jira.set(answerDelaySeconds=0)


@contextmanager
def stage(fast_tables: bool = False, **settings: str) -> Iterator[Stage]:
    """Starts everything and stops it at the end.

    `fast_tables` replaces MiniStack's DynamoDB; `settings` override the template's defaults.
    """
    with ExitStack() as ending:
        folder = Path(tempfile.mkdtemp(prefix="relay-harness-"))
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        services: list[Service] = []
        ending.callback(stop_services, services)
        embedded = start_ministack(free_port(), folder, False, [])
        services.append(embedded.service)
        jira = start_simulator(free_port(), folder, [])
        services.append(jira.service)
        tables = embedded.endpoint
        if fast_tables:
            port = free_port()
            tables = f"http://{HOST}:{port}"
            services.append(_start_tables(port, folder))
        listener = ending.enter_context(listening())
        control = ending.enter_context(JiraControl(jira.url))
        control.set(visibleAfterSeconds=0)
        session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        dynamodb = session.client("dynamodb", endpoint_url=tables)
        sqs = session.client("sqs", endpoint_url=embedded.endpoint)
        kms = session.client("kms", endpoint_url=embedded.endpoint)
        environment = create_stores(dynamodb, sqs, kms) | aws_environment(embedded.endpoint)
        environment |= _SETTINGS | settings
        environment |= {
            "AWS_ENDPOINT_URL_DYNAMODB": tables,
            "BASE_URL": listener.url,
            "INSTALL_KEYS_URL": f"{jira.url}/install-keys",
        }
        key = ApiKeys(dynamodb, environment["API_KEYS_TABLE"]).issue()
        yield Stage(folder, listener, control, dynamodb, sqs, kms, key, environment)


def _start_tables(port: int, folder: Path) -> Service:
    command = [sys.executable, "-m", "infra.harness.tables_server", str(port)]
    environment = bare_environment(PYTHONPATH=f"{ROOT / 'shared'}:{ROOT}")
    service = start_service("The tables", command, environment, folder / "tables.log")
    service.wait_until(lambda: _answers(port), _START_SECONDS)
    return service


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}", timeout=1, trust_env=False).is_success
    except httpx.TransportError:
        return False
