"""A first deployment that fails leaves nothing but empty tables, and no table is adopted twice.

How a removed stack is deployed again on its tables is in `test_runbook.py`.
"""

import pytest

from infra.local.build import ARCHITECTURE
from infra.local.environment import aws_environment, tool_environment
from infra.local.failure import StackFailure
from infra.local.paths import SAM
from infra.local.processes import run_command
from infra.local.stack import Stack
from tests.deploy.operator_stage import Terminal
from tests.support.template import resources

# Fails after a second, in any account, when the stores exist.
FAILING = """Resources:
  Never:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: [{stores}]
    Properties: {{ Handle: !Ref NeverHandle, Timeout: "1" }}
  NeverHandle:
    Type: AWS::CloudFormation::WaitConditionHandle
"""


def deploy_failing(stack: Stack, name: str, stores: set[str]) -> None:
    """Deploys Relay with a resource that fails. Raises StackFailure."""
    template = stack.folder / "build" / "template.yaml"
    failing = template.with_name("failing.yaml")
    more = FAILING.format(stores=", ".join(sorted(stores)))
    failing.write_text(template.read_text().replace("\nResources:\n", f"\n{more}", 1))
    command = [str(SAM), "deploy", "--template-file", str(failing), "--stack-name", name]
    command += ["--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
    command += ["--parameter-overrides", f"Architecture={ARCHITECTURE}"]
    environment = tool_environment(**aws_environment(stack.aws.endpoint), SAM_CLI_POLL_DELAY="0.2")
    run_command("sam deploy", command, environment, stack.folder / "failing.log", 120)


def test_a_first_deployment_that_fails_leaves_only_empty_tables(other: Terminal) -> None:
    tables = set(resources("AWS::DynamoDB::Table"))
    others = {*resources("AWS::SQS::Queue"), *resources("AWS::KMS::Key")}

    with pytest.raises(StackFailure):
        deploy_failing(other.stack, "failing", tables | others)

    pages = other.stack.aws.cloudformation.get_paginator("describe_stack_events")
    ends = {
        (event["LogicalResourceId"], event["ResourceStatus"])
        for page in pages.paginate(StackName="failing")
        for event in page["StackEvents"]
    }
    assert ("failing", "ROLLBACK_COMPLETE") in ends
    assert {name for name, status in ends if status == "DELETE_SKIPPED"} == tables
    assert others <= {name for name, status in ends if status == "DELETE_COMPLETE"}


def test_two_parameters_do_not_adopt_the_same_table(other: Terminal) -> None:
    taken = other.stack.deployment.outputs["RecordTable"]
    with pytest.raises(AssertionError, match="must not name the same table"):
        other.deploy(
            f"sam deploy --parameter-overrides CatalogTableName={taken} RecordTableName={taken}"
        )
