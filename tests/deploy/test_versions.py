"""A deployment publishes a new version of each function with an alias, moves the alias, and deletes
the version before. Without that, callers would silently get the old code or the old settings.
"""

from collections.abc import Iterator

import pytest

from infra.local.deploy import STACK_NAME
from infra.local.stack import Stack
from tests.support.own_stack import own_stack
from tests.support.template import resources

PUBLISHED = [
    name
    for name, properties in resources("AWS::Serverless::Function").items()
    if "AutoPublishAlias" in properties
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with own_stack(SnapStart="on") as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def snap_start(stack: Stack) -> tuple[set[str], set[str]]:
    """What has a snapshot at first, and after SnapStart is turned off.

    Each test needs it off: the functions run on this Python, and MiniStack updates no function that
    has SnapStart on one older than 3.12.
    """
    before = snapshots(stack)
    deploy_again(stack, SnapStart="off")
    return before, snapshots(stack)


def deploy_again(stack: Stack, **changed: str) -> None:
    """Updates the stack with its own template, and these parameters."""
    cloudformation = stack.aws.cloudformation
    [known] = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    cloudformation.update_stack(
        StackName=STACK_NAME,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": changed[key]}
            if (key := one["ParameterKey"]) in changed
            else {"ParameterKey": key, "UsePreviousValue": True}
            for one in known["Parameters"]
        ],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def versions(stack: Stack, function: str) -> list[str]:
    """The published versions; the alias leads to the only one."""
    functions, name = stack.aws.functions, stack.deployment.functions[function]
    listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
    published = [one["Version"] for one in listed if one["Version"] != "$LATEST"]
    assert [functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]] == published
    return published


def snapshots(stack: Stack) -> set[str]:
    """What SnapStart applies to in the versions that are called."""
    found = set[str]()
    for function in PUBLISHED:
        assert len(versions(stack, function)) == 1
        called = stack.aws.functions.get_function_configuration(
            FunctionName=stack.deployment.functions[function], Qualifier="live"
        )
        found.add(called.get("SnapStart", {}).get("ApplyOn", "None"))
    return found


@pytest.mark.parametrize(
    ("parameter", "value", "variable"),
    [("LogLevel", "DEBUG", "POWERTOOLS_LOG_LEVEL"), ("AppKey", "another", "APP_KEY")],
)
def test_another_value_of_a_parameter_reaches_the_callers_of_an_alias(
    stack: Stack, parameter: str, value: str, variable: str
) -> None:
    before = {function: versions(stack, function) for function in PUBLISHED}

    deploy_again(stack, **{parameter: value})

    for function in PUBLISHED:
        assert versions(stack, function) != before[function]
        called = stack.aws.functions.get_function_configuration(
            FunctionName=stack.deployment.functions[function], Qualifier="live"
        )
        assert called["Environment"]["Variables"][variable] == value


def test_snap_start_is_turned_off(snap_start: tuple[set[str], set[str]]) -> None:
    assert snap_start == ({"PublishedVersions"}, {"None"})


def test_a_change_that_concerns_none_of_them_publishes_no_version(stack: Stack) -> None:
    before = {function: versions(stack, function) for function in PUBLISHED}
    deploy_again(stack, SweepMinutes="10")
    assert {function: versions(stack, function) for function in PUBLISHED} == before
