"""A deleted stack leaves its data, and a new one finds it by its parameters. A first deployment
that fails leaves nothing but empty tables.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.local.build import ARCHITECTURE
from infra.local.deploy import STACK_NAME
from infra.local.environment import aws_environment, tool_environment
from infra.local.failure import StackFailure
from infra.local.first_tenant import set_up
from infra.local.paths import SAM
from infra.local.processes import run_command
from infra.local.screen import Screen
from infra.local.stack import Stack, deploy_relay
from infra.local.story import Story
from tests.e2e.states import arrives, await_replay, incidents
from tests.support.entities import incident
from tests.support.own_stack import own_stack
from tests.support.template import resources

# The outputs of a stack by the parameters that adopt what they name.
OUTPUTS = {
    "TenantsTableName": "TenantsTable",
    "CatalogTableName": "CatalogTable",
    "RecordTableName": "RecordTable",
    "ApiKeysTableName": "ApiKeysTable",
    "SecretsKeyArn": "SecretsKey",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with own_stack(enforce_iam=True) as running:
        yield running


def deployed_again(stack: Stack, **parameters: str) -> Stack:
    """The stack, after it was deleted and deployed with these parameters."""
    cloudformation = stack.aws.cloudformation
    cloudformation.delete_stack(StackName=STACK_NAME)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert stack.aws.functions.list_functions()["Functions"] == []
    template = stack.folder / "build" / "template.yaml"
    deployment = deploy_relay(template, stack.aws, stack.jira.url, stack.folder, parameters)
    return replace(stack, deployment=deployment)


def test_a_deleted_stack_deployed_again_on_its_tables_finds_its_data(stack: Stack) -> None:
    # GIVEN a delivered incident of a site
    tenancy = set_up(stack)
    with Story(stack, tenancy, Screen()) as story:
        await_replay(story)
        arrives(story, incidents(incident("before")))
    kept = {parameter: stack.deployment.outputs[output] for parameter, output in OUTPUTS.items()}

    # WHEN the stack is deleted, and deployed on its tables and key
    again = deployed_again(stack, **kept)

    # THEN it uses these, knows key, site, link and incident, and delivers to the site
    outputs = again.deployment.outputs
    assert {parameter: outputs[output] for parameter, output in OUTPUTS.items()} == kept
    assert not again.deployment.resources.keys() & set(OUTPUTS.values())
    with Story(again, tenancy, Screen()) as story:
        assert [site["id"] for site in story.relay.sites()] == [tenancy.site_id]
        assert story.recorded() == 1
        arrives(story, incidents(incident("before"), incident("after")))


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


def test_a_first_deployment_that_fails_leaves_only_empty_tables(stack: Stack) -> None:
    tables = set(resources("AWS::DynamoDB::Table"))
    others = {*resources("AWS::SQS::Queue"), *resources("AWS::KMS::Key")}

    with pytest.raises(StackFailure):
        deploy_failing(stack, "failing", tables | others)

    pages = stack.aws.cloudformation.get_paginator("describe_stack_events")
    ends = {
        (event["LogicalResourceId"], event["ResourceStatus"])
        for page in pages.paginate(StackName="failing")
        for event in page["StackEvents"]
    }
    assert ("failing", "ROLLBACK_COMPLETE") in ends
    assert {name for name, status in ends if status == "DELETE_SKIPPED"} == tables
    assert others <= {name for name, status in ends if status == "DELETE_COMPLETE"}


def test_two_parameters_do_not_adopt_the_same_table(stack: Stack) -> None:
    template = stack.folder / "build" / "template.yaml"
    taken = stack.deployment.outputs["RecordTable"]
    parameters = {"CatalogTableName": taken, "RecordTableName": taken}
    with pytest.raises(StackFailure, match="must not name the same table"):
        deploy_relay(template, stack.aws, stack.jira.url, stack.folder, parameters)
