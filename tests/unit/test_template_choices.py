"""Parameters that replace what the stack makes itself: tables, keys, and a permissions boundary."""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from tests.support.template import broken_rules, decide, document, holds, named_in, resources

STORES = {
    "TenantsTable": "TenantsTableName",
    "CatalogTable": "CatalogTableName",
    "RecordTable": "RecordTableName",
    "ApiKeysTable": "ApiKeysTableName",
    "SecretsKey": "SecretsKeyArn",
}
TABLES = [name for name in STORES.values() if name.endswith("TableName")]
KEY = "arn:aws:kms:eu-west-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef"


def deployed_with(**parameters: str) -> dict[str, Any]:
    """The template without its rules, and without the resources whose condition does not hold."""
    decided: dict[str, Any] = decide(document(), parameters)
    del decided["Rules"]
    decided["Resources"] = {
        name: one
        for name, one in decided["Resources"].items()
        if "Condition" not in one or holds(one["Condition"], parameters)
    }
    return decided


def choices(value: Any) -> Iterator[list[Any]]:
    """Every `!If` between an own store and an adopted one."""
    if isinstance(value, list):
        for one in value:
            yield from choices(one)
    elif isinstance(value, dict):
        if "If" in value and value["If"][0].startswith("Own"):
            yield value["If"]
        for one in value.values():
            yield from choices(one)


def test_there_is_a_parameter_for_every_table_and_key() -> None:
    assert (
        STORES.keys()
        == resources("AWS::DynamoDB::Table").keys() | resources("AWS::KMS::Key").keys()
    )


def test_by_default_the_stack_makes_its_own() -> None:
    assert STORES.keys() <= deployed_with()["Resources"].keys()


@pytest.mark.parametrize(("store", "parameter"), STORES.items())
def test_nothing_refers_to_a_store_that_an_adopted_one_replaces(store: str, parameter: str) -> None:
    adopted = deployed_with(**{parameter: "given"})
    assert store not in adopted["Resources"]
    named = {name.partition(".")[0] for name in named_in(adopted)}
    assert store not in named
    assert parameter in named
    assert STORES.keys() - {store} <= adopted["Resources"].keys()


@pytest.mark.parametrize(("store", "parameter"), STORES.items())
def test_an_adopted_store_is_named_where_the_own_one_is(store: str, parameter: str) -> None:
    def uses(parameters: dict[str, str], name: str) -> int:
        found = [one.partition(".")[0] for one in named_in(deployed_with(**parameters))]
        return found.count(name)

    # The condition names the parameter, too.
    assert uses({parameter: "given"}, parameter) == uses({}, store) + 1


def test_one_place_decides_between_own_and_adopted() -> None:
    found = list(choices(document()))
    assert len(found) > 100
    # A name and an ARN for each table, and the key's ARN.
    assert len({id(choice) for choice in found}) == 2 * 4 + 1


@pytest.mark.parametrize(("one", "other"), list(combinations(TABLES, 2)))
def test_one_table_is_not_adopted_twice(one: str, other: str) -> None:
    """CloudFormation would deploy it, and each call would find the wrong items, or none."""
    assert broken_rules({one: "restored", other: "also"}) == broken_rules({one: "restored"}) == []
    [broken] = broken_rules({one: "restored", other: "restored"})
    assert broken == f"{one} and {other} must not name the same table."


@pytest.mark.parametrize(
    "arn",
    [
        KEY,
        KEY.replace("mrk-0123456789abcdef0123456789abcdef", "1b2c3d4e-1111-2222-3333-444455556666"),
    ],
)
@pytest.mark.parametrize("parameter", ["SecretsKeyArn", "DataKeyArn"])
def test_a_key_is_given_by_its_arn(parameter: str, arn: str) -> None:
    definition = document()["Parameters"][parameter]
    assert re.fullmatch(definition["AllowedPattern"], arn)
    assert len(arn) <= definition["MaxLength"]
    assert not re.fullmatch(definition["AllowedPattern"], "alias/relay")
    assert not re.fullmatch(definition["AllowedPattern"], arn.replace("key/", "alias/"))


def test_an_own_key_encrypts_every_table_and_queue() -> None:
    key = {"Ref": "DataKeyArn"}
    for resource in deployed_with(DataKeyArn=KEY)["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::DynamoDB::Table":
            encrypted = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
            assert properties["SSESpecification"] == encrypted
        if resource["Type"] == "AWS::SQS::Queue":
            assert properties["SqsManagedSseEnabled"] is False
            assert properties["KmsMasterKeyId"] == key


def test_every_function_with_permissions_may_use_the_key_of_tables_and_queues() -> None:
    assert "DataKeyPolicy" not in deployed_with()["Resources"]
    policy = deployed_with(DataKeyArn=KEY)["Resources"]["DataKeyPolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "DataKeyArn"}
    assert all(re.fullmatch(r"kms:[A-Z][A-Za-z]+", action) for action in statement["Action"])
    roles = {
        f"{logical_id}Role"
        for logical_id, properties in resources("AWS::Serverless::Function").items()
        if "Policies" in properties
    }
    assert {role["Ref"] for role in policy["Roles"]} == roles


def test_a_permissions_boundary_is_that_of_every_function() -> None:
    arn = "arn:aws:iam::123456789012:policy/boundary"
    bound = deployed_with(PermissionsBoundaryArn=arn)["Globals"]["Function"]
    assert bound["PermissionsBoundary"] == {"Ref": "PermissionsBoundaryArn"}
    assert "PermissionsBoundary" not in deployed_with()["Globals"]["Function"]
    # The template has no other roles.
    assert not resources("AWS::IAM::Role")
    assert not any(
        "PermissionsBoundary" in one for one in resources("AWS::Serverless::Function").values()
    )


def test_the_access_log_shares_the_accounts_policy_for_vended_logs() -> None:
    name = resources("AWS::Logs::LogGroup")["AccessLog"]["LogGroupName"]["Sub"]
    assert name.startswith("/aws/vendedlogs/")
    assert "${AWS::StackName}" in name
