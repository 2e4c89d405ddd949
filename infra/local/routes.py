"""Creates the API's routes in MiniStack.

SAM writes the routes of an HTTP API into the API's OpenAPI body, which MiniStack does not read. The
template stays the only source: the routes are read from the deployed template.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.aws import LocalAws
from infra.local.deploy import API_ID, STACK_NAME
from infra.local.environment import ACCOUNT, REGION
from infra.local.failure import StackFailure

PAYLOAD_FORMAT = "2.0"
DEFAULT_ROUTE = "$default"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
# The alias if the function has one: SAM appends the name `live` to the logical id.
TARGET_IN_URI = re.compile(
    r"functions/\$\{(?P<target>(?P<function>\w+?)(?:Aliaslive)?)(?:\.Arn)?\}/invocations"
)


@dataclass(frozen=True)
class Route:
    """`key` is API Gateway's, as in `GET /health`. `function` and `target` are logical ids: of the
    function, and of what API Gateway calls, which is its alias if it has one.
    """

    key: str
    function: str
    target: str


def create_routes(aws: LocalAws, resources: Mapping[str, str]) -> list[Route]:
    """Creates an integration per function and a route per method and path. Returns the routes.

    Raises StackFailure if the template has none.
    """
    routes = deployed_routes(aws)
    if not routes:
        raise StackFailure("The deployed template has no routes.")
    targets = {
        target: _create_integration(aws, resources[target])
        for target in {route.target for route in routes}
    }
    for route in routes:
        aws.api_gateway.create_route(
            ApiId=API_ID, RouteKey=route.key, Target=f"integrations/{targets[route.target]}"
        )
    return routes


def deployed_routes(aws: LocalAws) -> list[Route]:
    """The routes in the deployed template, after SAM's transform."""
    answer = aws.cloudformation.get_template(StackName=STACK_NAME, TemplateStage="Processed")
    return list(_routes_of(answer["TemplateBody"]))


def _routes_of(template: Mapping[str, Any]) -> Iterator[Route]:
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::ApiGatewayV2::Api":
            continue
        for path, methods in resource["Properties"]["Body"]["paths"].items():
            for method, operation in methods.items():
                yield Route(_key(method, path), *_called_by(operation[INTEGRATION]["uri"]))


def _key(method: str, path: str) -> str:
    if path == DEFAULT_ROUTE:
        return path
    return f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"


def _called_by(uri: Mapping[str, str]) -> tuple[str, str]:
    found = TARGET_IN_URI.search(uri["Fn::Sub"])
    if found is None:
        raise StackFailure(f"A route's integration is not a function: {uri}")
    return found["function"], found["target"]


def _create_integration(aws: LocalAws, target: str) -> str:
    """`target` is a function's name, or an alias's ARN."""
    arn = target if target.startswith("arn:") else FUNCTION_ARN + target
    answer = aws.api_gateway.create_integration(
        ApiId=API_ID,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn,
        PayloadFormatVersion=PAYLOAD_FORMAT,
    )
    return answer["IntegrationId"]
