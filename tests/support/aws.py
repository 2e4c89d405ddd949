"""The emulated AWS."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.forge import APP_ID

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

REGION = "eu-west-1"

# The template's variables that name no store.
VARIABLES = {
    "CONFIRM_PERCENT": "0",
    "RETENTION_DAYS": "0",
    "REGION": REGION,
    "JIRA_IDENTITY": "connect",
    "PLAIN_IDS": "off",
    "FORGE_APP_ID": APP_ID,
    "FORGE_ENVIRONMENTS": "PRODUCTION",
    "FORGE_KEYS_URL": "http://127.0.0.1:9/forge-keys",
    "FORGE_REGIONS": "",
    "TEST_API_ORIGINS": "http://127.0.0.1:*",
    "ALL_JS_URL": "https://connect-cdn.atl-paas.net/all.js",
    "REVIEW_URL_TEMPLATE": "",
    "REVIEW_ACTION": "on",
    "HOME_URL": "",
    "DOCUMENTATION_URL": "",
    "VENDOR_URL": "",
    "COMPONENTS_MODULE": "off",
    "CLOUDWATCH_SOURCE": "payments/cloudwatch",
    "INSTALL_KEYS_URL": "http://127.0.0.1:9/install-keys",
    "TEST_SITE_ORIGINS": "http://127.0.0.1:*",
    "TEST_WEBHOOK_ORIGINS": "https://127.0.0.1:*,https://localhost:*,http://127.0.0.1:*",
}


@dataclass(frozen=True)
class Aws:
    """`environment` has the value of every variable in the template."""

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    kms: "KMSClient"
    environment: dict[str, str]
