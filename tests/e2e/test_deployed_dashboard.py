"""The dashboard as CloudFormation fills it in, with the names of what it deployed."""

import json

from infra.local.stack import Stack


def test_the_deployed_dashboard_names_what_is_deployed(stack: Stack) -> None:
    name = stack.deployment.resources["Dashboard"]
    text = stack.aws.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    assert "${" not in text
    widgets = json.loads(text)["widgets"]
    [alarms] = [one["properties"]["alarms"] for one in widgets if one["type"] == "alarm"]
    deployed = stack.deployment.resources
    assert {arn.rpartition(":")[2] for arn in alarms} == {
        deployed[logical] for logical in deployed if logical.endswith("Alarm")
    }
    for function in stack.deployment.functions.values():
        assert f'"{function}"' in text
    assert stack.deployment.outputs["DashboardUrl"].endswith(f"/{name}")
