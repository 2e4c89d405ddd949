"""The template as CloudFormation receives it: without SAM's types, and with parameters' values."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from infra.lambdas.template import ROOT, document, holds
from infra.local.environment import tool_environment
from infra.local.failure import StackFailure
from infra.local.paths import SAM
from infra.local.processes import require

_SCRIPT = ROOT / "infra" / "guard" / "translate.py"
_SECONDS = 60
_NO_VALUE = {"Ref": "AWS::NoValue"}
_ACCOUNT = "eu-west-1:123456789012"
# What docs/operator.md recommends for production.
PARAMETERS = {
    "AlarmTopicArn": f"arn:aws:sns:{_ACCOUNT}:alarms",
    "DataKeyArn": f"arn:aws:kms:{_ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
}


def translated() -> dict[str, Any]:
    """The template with these parameters. Raises StackFailure."""
    require(SAM)
    ran = subprocess.run(  # noqa: S603 (a fixed command)
        [str(SAM.with_name("python")), str(_SCRIPT), str(ROOT / "template.yaml")],
        env=tool_environment(AWS_DEFAULT_REGION="us-east-1"),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if ran.returncode != 0:
        raise StackFailure(f"SAM could not translate the template:\n{ran.stderr[-1000:]}")
    template: dict[str, Any] = json.loads(ran.stdout)
    resources = template["Resources"].items()
    template["Resources"] = {
        name: _resolved(resource)
        for name, resource in resources
        if "Condition" not in resource or holds(resource["Condition"], PARAMETERS)
    }
    return template


def _resolved(value: Any) -> Any:
    """The value with those of parameters and conditions; other references stay."""
    if isinstance(value, list):
        return [one for one in map(_resolved, value) if one != _NO_VALUE]
    if not isinstance(value, Mapping):
        return value
    if "Fn::If" in value:
        condition, if_true, if_false = value["Fn::If"]
        return _resolved(if_true if holds(condition, PARAMETERS) else if_false)
    parameters = document()["Parameters"]
    if value.keys() == {"Ref"} and value["Ref"] in parameters:
        name = value["Ref"]
        return PARAMETERS.get(name, parameters[name]["Default"])
    resolved = {name: _resolved(one) for name, one in value.items()}
    return {name: one for name, one in resolved.items() if one != _NO_VALUE}
