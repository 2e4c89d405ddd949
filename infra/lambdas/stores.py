"""Creates the template's tables, queues and key in an emulated AWS."""

from typing import TYPE_CHECKING

from infra.lambdas.template import resources

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient


def create_stores(dynamodb: "DynamoDBClient", sqs: "SQSClient", kms: "KMSClient") -> dict[str, str]:
    """Creates each under its logical id; returns the functions' variables that name them."""
    for name, properties in resources("AWS::DynamoDB::Table").items():
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=properties["AttributeDefinitions"],
            KeySchema=properties["KeySchema"],
            BillingMode=properties["BillingMode"],
        )
    queues = {
        name: sqs.create_queue(QueueName=name)["QueueUrl"]
        for name in (
            "SubmissionsQueue",
            "SubmissionsDeadLetters",
            "ReplaysQueue",
            "NoticesQueue",
        )
    }
    return {
        "TENANTS_TABLE": "TenantsTable",
        "CATALOG_TABLE": "CatalogTable",
        "RECORD_TABLE": "RecordTable",
        "API_KEYS_TABLE": "ApiKeysTable",
        "SUBMISSIONS_QUEUE": queues["SubmissionsQueue"],
        "SUBMISSIONS_DEAD_LETTERS": queues["SubmissionsDeadLetters"],
        "REPLAYS_QUEUE": queues["ReplaysQueue"],
        "NOTICES_QUEUE": queues["NoticesQueue"],
        "SECRETS_KEY": kms.create_key()["KeyMetadata"]["Arn"],
    }
