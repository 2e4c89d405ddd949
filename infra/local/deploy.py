"""`sam deploy` of the built template to the embedded AWS, as to the real one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.aws import LocalAws
from infra.local.build import ARCHITECTURE
from infra.local.environment import aws_environment, tool_environment
from infra.local.paths import SAM
from infra.local.processes import run_command

STACK_NAME = "relay"
APP_KEY = "relay-operations"
# In the form that `forge register` prints.
FORGE_APP_ID = "ari:cloud:ecosystem::app/5c1e7a40-8f5b-4c39-9d44-0d6a5b8e2f17"
# MiniStack reads the API's id from a tag. So the app's base URL, a parameter of the template, is
# known before the API exists.
API_ID = "0000ea57"
# The source of CloudWatch's alarms, in the workspace of `first_tenant`.
CLOUDWATCH_SOURCE = "operations/cloudwatch"
DEPLOY_SECONDS = 120.0


@dataclass(frozen=True)
class Deployment:
    """A deployed stack: outputs by name, and physical ids of resources by their logical ids."""

    outputs: Mapping[str, str]
    resources: Mapping[str, str]
    functions: Mapping[str, str]


def base_url(endpoint: str) -> str:
    """The app's base URL on the embedded AWS at `endpoint`."""
    return f"{endpoint}/_aws/execute-api/{API_ID}"


def deploy(
    template: Path, aws: LocalAws, jira: str, folder: Path, chosen: Mapping[str, str]
) -> Deployment:
    """Deploys the stack, with the simulator's URL `jira`, and with the `chosen` parameters. The log
    is written to `folder`.

    Raises StackFailure.
    """
    parameters = {
        "AllJsUrl": f"{jira}/assets/all.js",
        "AppKey": APP_KEY,
        "Architecture": ARCHITECTURE,
        "BaseUrl": base_url(aws.endpoint),
        "CloudWatchSource": CLOUDWATCH_SOURCE,
        "ForgeAppId": FORGE_APP_ID,
        "ForgeKeysUrl": f"{jira}/forge/.well-known/jwks.json",
        "InstallKeysUrl": f"{jira}/install-keys",
        "TestApiOrigins": "http://127.0.0.1:*,http://localhost:*",
        "TestSiteOrigins": "http://127.0.0.1:*,http://localhost:*",
        "TestWebhookOrigins": ",".join(
            f"{scheme}://{host}:*"
            for scheme in ("http", "https")
            for host in ("127.0.0.1", "localhost")
        ),
        **chosen,
    }
    command = [str(SAM), "deploy", "--template-file", str(template), "--stack-name", STACK_NAME]
    command += ["--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
    command += ["--no-progressbar", "--tags", f"ms-custom-id={API_ID}", "--parameter-overrides"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    environment = tool_environment(**aws_environment(aws.endpoint), SAM_CLI_POLL_DELAY="0.2")
    run_command("sam deploy", command, environment, folder / "deploy.log", DEPLOY_SECONDS)
    return deployment_of(aws)


def deployment_of(aws: LocalAws) -> Deployment:
    """The stack as it is deployed now."""
    stack = aws.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    listed = aws.cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    resources = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}
    functions = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in listed
        if one["ResourceType"] == "AWS::Lambda::Function"
    }
    return Deployment(outputs, resources, functions)
