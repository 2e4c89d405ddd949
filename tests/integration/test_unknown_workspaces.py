"""Every call for a workspace that was never put, or is deleted, is answered with that and changes
nothing.
"""

import pytest

from tests.integration.relay_stage import Relay, Start
from tests.support.aws import Aws
from tests.support.template import routes

SERVED = ["entities", "links", "submissions", "webhooks", "workspaces"]
WORKSPACE = "/v1/workspaces/{workspaceId}"
# All but the calls that create a workspace, read it and delete it.
CALLS = sorted(
    f"{method} {path}"
    for function in SERVED
    for method, path in routes(function)
    if path.startswith(f"{WORKSPACE}/")
)
IDS = {
    "incidentId": "inc-1",
    "reviewId": "rev-1",
    "containerId": "checkout",
    "submissionId": "1769852700123-c",
}


@pytest.fixture
def relay(start: Start) -> Relay:
    return start()


def items(aws: Aws) -> dict[str, int]:
    tables = ("CATALOG_TABLE", "RECORD_TABLE", "TENANTS_TABLE")
    return {
        name: aws.dynamodb.scan(TableName=aws.environment[name], Select="COUNT")["Count"]
        for name in tables
    }


def called(relay: Relay, key: str, workspace_id: str) -> tuple[int, str]:
    method, path = key.split()
    for name, value in {"workspaceId": workspace_id, **IDS}.items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
    answer = relay.provider(method, path, {} if method in ("POST", "PUT") else None)
    return answer.status, "" if method == "HEAD" else answer.error_code


def test_the_template_has_routes_with_a_workspace() -> None:
    assert len(CALLS) > 15
    assert f"POST {WORKSPACE}/submissions" in CALLS


@pytest.mark.parametrize("key", CALLS)
def test_a_workspace_that_was_never_put_is_unknown(relay: Relay, aws: Aws, key: str) -> None:
    before = items(aws)

    status, code = called(relay, key, "nope")

    assert status == 404
    assert code == ("" if key.startswith("HEAD ") else "unknown_workspace")
    assert items(aws) == before
    assert relay.waiting() == []


@pytest.mark.parametrize("key", CALLS)
def test_a_workspace_that_is_deleted_is_unknown(relay: Relay, key: str) -> None:
    relay.put_workspace("payments")
    relay.provider("DELETE", "/v1/workspaces/payments")

    assert called(relay, key, "payments")[0] == 404
