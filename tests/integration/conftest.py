"""The functions on moto, in this process, with the template's own tables, queues and key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from infra.lambdas.stores import create_stores
from relay.identity.api_keys import ApiKeys
from tests.support.aws_limits import aws_limits_held  # noqa: F401 (a fixture)
from tests.support.aws_permissions import aws_permissions_held  # noqa: F401 (a fixture)
from tests.support.forge import APP_ID
from tests.support.lambdas import APP_KEY, BASE_URL, load, variables_of
from tests.support.resolver import resolve  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

REGION = "eu-west-1"


@dataclass(frozen=True)
class Aws:
    """The emulated AWS; `environment` holds the value of every variable in the template."""

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    kms: "KMSClient"
    environment: dict[str, str]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own AWS set-up can be reached."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",  # no secret
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "APP_KEY": APP_KEY,
        "BASE_URL": BASE_URL,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(credentials: None) -> Iterator[Aws]:  # noqa: ARG001
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        sqs = boto3.client("sqs")
        kms = boto3.client("kms")
        environment = create_stores(dynamodb, sqs, kms) | {
            "CONFIRM_PERCENT": "0",
            "REGION": REGION,
            "JIRA_IDENTITY": "connect",
            "PLAIN_IDS": "off",
            "FORGE_APP_ID": APP_ID,
            "FORGE_ENVIRONMENTS": "PRODUCTION",
            "FORGE_KEYS_URL": "http://127.0.0.1:9/forge-keys",
            "FORGE_REGIONS": "",
            "TEST_API_ORIGINS": "http://127.0.0.1:*",
            "REVIEW_URL_TEMPLATE": "",
            "REVIEW_ACTION": "on",
            "HOME_URL": "",
            "DOCUMENTATION_URL": "",
            "VENDOR_URL": "",
            "COMPONENTS_MODULE": "off",
            "INSTALL_KEYS_URL": "http://127.0.0.1:9/install-keys",
            "TEST_SITE_ORIGINS": "http://127.0.0.1:*",
            "TEST_WEBHOOK_ORIGINS": "https://127.0.0.1:*,https://localhost:*,http://127.0.0.1:*",
        }
        yield Aws(dynamodb, sqs, kms, environment)


@pytest.fixture
def function(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Load a function with just the variables that the template gives it."""

    def load_function(name: str, **overrides: str) -> ModuleType:
        for variable in variables_of(name):
            monkeypatch.setenv(variable, overrides.get(variable, aws.environment[variable]))
        return load(name)

    return load_function


@pytest.fixture
def api_key(aws: Aws) -> str:
    return ApiKeys(aws.dynamodb, aws.environment["API_KEYS_TABLE"]).issue()
