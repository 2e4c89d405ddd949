"""Clients of the embedded AWS, which never read the user's AWS configuration."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra.local.environment import ACCESS_KEY, REGION, SECRET_KEY

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

CONFIG = Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 2}, proxies={})


class LocalAws:
    """One client per service, made on first use. `endpoint` is the embedded AWS's URL."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
        )
        self._clients: list[Any] = []

    def close(self) -> None:
        """Closes the clients that were made."""
        for client in self._clients:
            client.close()

    @cached_property
    def api_gateway(self) -> "ApiGatewayV2Client":
        """The client of API Gateway, version 2."""
        return self._client("apigatewayv2")  # type: ignore[no-any-return]

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """The client of CloudFormation."""
        return self._client("cloudformation")  # type: ignore[no-any-return]

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """The client of CloudWatch."""
        return self._client("cloudwatch")  # type: ignore[no-any-return]

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The client of DynamoDB."""
        return self._client("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def functions(self) -> "LambdaClient":
        """The client of Lambda."""
        return self._client("lambda")  # type: ignore[no-any-return]

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """The client of CloudWatch Logs."""
        return self._client("logs")  # type: ignore[no-any-return]

    @cached_property
    def sqs(self) -> "SQSClient":
        """The client of SQS."""
        return self._client("sqs")  # type: ignore[no-any-return]

    def _client(self, service: Any) -> Any:
        client = self._session.client(service, endpoint_url=self.endpoint, config=CONFIG)
        self._clients.append(client)
        return client
