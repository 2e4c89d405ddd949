"""The template's permissions: the emulators allow calls that a function's policy on AWS does
not.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

from infra.lambdas.template import ROOT, functions

_FUNCTIONS, _TESTS = str(ROOT / "functions"), str(ROOT / "tests")
_AROUND_EVERY_CALL = ("aws_permissions.py", "aws_limits.py", "aws_calls.py", "quick_aws.py")
# Operations that are allowed by another action's name.
_ALLOWED_AS = {
    "DeleteMessageBatch": "DeleteMessage",
    "SendMessageBatch": "SendMessage",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}

Request = Mapping[str, Any]
# (action, logical id of the resource)
Permission = tuple[str, str]


class NotPermitted(BaseException):
    """AWS would have refused the call. It is no Exception, because Relay would handle it as a
    failure of AWS, and a test of such failures would hide it.
    """


@cache
def permitted(function: str) -> frozenset[Permission]:
    """What the template's policies allow this function."""
    statements = [
        statement
        for policy in functions()[function].get("Policies", [])
        for statement in _listed(policy["Statement"])
    ]
    return frozenset(
        (action, resource["GetAtt"].partition(".")[0])
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    )


def needed(service: str, operation: str, request: Request) -> set[Permission]:
    """The permission that AWS requires for this request. The stores have their logical ids as
    names.
    """
    if service == "kms":
        return {(f"kms:{operation}", "SecretsKey")}
    if service == "sqs":
        queue = request["QueueUrl"].rpartition("/")[2]
        return {(f"sqs:{_ALLOWED_AS.get(operation, operation)}", queue)}
    if operation == "TransactWriteItems":
        return {
            (f"dynamodb:{_ALLOWED_AS[name]}", one["TableName"])
            for action in request["TransactItems"]
            for name, one in action.items()
        }
    tables = request.get("RequestItems") or [request["TableName"]]
    return {(f"dynamodb:{operation}", table) for table in tables}


@contextmanager
def aws_permissions() -> Iterator[None]:
    """Check every request of the functions in this process before it is sent."""
    send = BaseClient._make_request  # type: ignore[attr-defined]

    def send_checked(self: BaseClient, model: Any, request: dict[str, Any], context: Any) -> Any:
        function = _calling()
        body = request.get("body") or b""
        if function and body[:1] in (b"{", "{"):
            service = model.service_model.service_name
            missing = needed(service, model.name, json.loads(body)) - permitted(function)
            if missing:
                raise NotPermitted(f"{function}: {sorted(missing)}")
        return send(self, model, request, context)

    with patch.object(BaseClient, "_make_request", send_checked):
        yield


def _calling() -> str | None:
    """The function whose handler is on the stack; None for a test's own call."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        file = frame.f_code.co_filename
        if file.startswith(_TESTS) and Path(file).name not in _AROUND_EVERY_CALL:
            return None
        if file.startswith(_FUNCTIONS):
            return Path(file).parent.name
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
