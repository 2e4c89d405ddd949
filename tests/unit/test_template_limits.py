"""What AWS accepts as a deployment's parameters, whatever their values."""

from typing import Any

import pytest

from tests.support.template import functions, resources, template

# Lambda's limit for all names and values together.
ENVIRONMENT_BYTES_MAX = 4096
BATCH_WITHOUT_WINDOW_MAX = 10
# The longest name that CloudFormation makes of a stack name of 128 characters; of a table, the
# longest that can be adopted.
NAMES = {
    "Table": 255,
    "Queue": 140,
    "Letters": 140,
    "SecretsKey.Arn": 100,
    "SettingsVersion": 10,
    "AWS::Region": 20,
}
PARAMETERS: dict[str, Any] = template()["Parameters"]
EVERYONES: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]


def longest(value: Any) -> int:
    """The maximum length of a variable's value."""
    [name] = value.values()
    parameter = PARAMETERS.get(name)
    if parameter is None:
        [length] = [length for end, length in NAMES.items() if name.endswith(end)]
        return length
    if "AllowedValues" in parameter:
        return max(len(str(one)) for one in parameter["AllowedValues"])
    return int(parameter["MaxLength"]) if "MaxLength" in parameter else len("1000")


def test_every_string_parameter_has_a_length() -> None:
    unbounded = [
        name
        for name, parameter in PARAMETERS.items()
        if parameter["Type"] == "String" and not parameter.keys() & {"AllowedValues", "MaxLength"}
    ]
    assert unbounded == []


def test_every_pattern_has_an_explanation_for_the_deployer() -> None:
    unexplained = [
        name
        for name, parameter in PARAMETERS.items()
        if "AllowedPattern" in parameter and not parameter.get("ConstraintDescription")
    ]
    assert unexplained == []


@pytest.mark.parametrize("name", functions())
def test_the_longest_parameters_fit_into_a_functions_environment(name: str) -> None:
    variables = EVERYONES | functions()[name].get("Environment", {}).get("Variables", {})
    assert sum(len(one) + longest(value) for one, value in variables.items()) <= (
        ENVIRONMENT_BYTES_MAX
    )


def test_the_queues_batches_have_the_window_that_lambda_requires() -> None:
    sources = resources("AWS::Lambda::EventSourceMapping").values()
    large = [one for one in sources if one["BatchSize"] > BATCH_WITHOUT_WINDOW_MAX]
    assert large
    for source in large:
        parameter = PARAMETERS[source["MaximumBatchingWindowInSeconds"]["Ref"]]
        assert 1 <= parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"] <= 300


def test_a_message_stays_invisible_during_the_longest_window_and_several_invocations() -> None:
    visible_after = resources("AWS::SQS::Queue")["SubmissionsQueue"]["VisibilityTimeout"]
    longest = PARAMETERS["BatchingWindow"]["MaxValue"]
    assert visible_after - longest >= 5 * functions()["submitter"]["Timeout"]
