"""Clients of the embedded AWS, which never read the user's own configuration."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra.local.environment import ACCESS_KEY, REGION, SECRET_KEY

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

CONFIG = Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 2}, proxies={})


class LocalAws:
    """One client per service, made when it is first asked for."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
        )
        self._clients: list[Any] = []

    def close(self) -> None:
        for client in self._clients:
            client.close()

    @cached_property
    def api_gateway(self) -> "ApiGatewayV2Client":
        return self._client("apigatewayv2")  # type: ignore[no-any-return]

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self._client("cloudformation")  # type: ignore[no-any-return]

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self._client("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def functions(self) -> "LambdaClient":
        return self._client("lambda")  # type: ignore[no-any-return]

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        return self._client("logs")  # type: ignore[no-any-return]

    @cached_property
    def sqs(self) -> "SQSClient":
        return self._client("sqs")  # type: ignore[no-any-return]

    def _client(self, service: Any) -> Any:
        client = self._session.client(service, endpoint_url=self.endpoint, config=CONFIG)
        self._clients.append(client)
        return client
