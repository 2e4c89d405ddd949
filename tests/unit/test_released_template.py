"""An upgrade from any release replaces no table, no key, no queue and no API."""

from typing import Any

import pytest

from tests.golden.template import kept, released
from tests.support.template import holds

RELEASED = [
    (version, logical_id) for version, resources in released().items() for logical_id in resources
]
NOW = kept()
# The properties of which CloudFormation documents "Update requires: Replacement", and those that it
# refuses to change.
REPLACING = {
    "AWS::DynamoDB::Table": {
        "TableName",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ImportSourceSpecification",
    },
    "AWS::KMS::Key": {"KeySpec", "KeyUsage", "MultiRegion", "Origin"},
    "AWS::SQS::Queue": {"QueueName", "FifoQueue"},
    "AWS::Serverless::HttpApi": set[str](),
}


def before(version: str, logical_id: str) -> dict[str, Any]:
    resource: dict[str, Any] = released()[version][logical_id]
    return resource


def test_there_is_a_release_to_compare_with() -> None:
    assert {type_["Type"] for type_ in released()["0.2.0"].values()} == set(REPLACING)


@pytest.mark.parametrize(("version", "logical_id"), RELEASED)
def test_a_released_store_is_not_replaced(version: str, logical_id: str) -> None:
    old, new = before(version, logical_id), NOW[logical_id]
    assert new["Type"] == old["Type"]
    for name in REPLACING[old["Type"]]:
        assert new["Properties"].get(name) == old["Properties"].get(name), name


@pytest.mark.parametrize("logical_id", sorted({logical_id for _, logical_id in RELEASED}))
def test_a_released_store_is_made_without_new_parameters(logical_id: str) -> None:
    condition = NOW[logical_id].get("Condition")
    assert condition is None or holds(condition, {})


@pytest.mark.parametrize(("version", "logical_id"), RELEASED)
def test_the_attributes_of_a_released_tables_key_keep_their_types(
    version: str, logical_id: str
) -> None:
    old, new = before(version, logical_id)["Properties"], NOW[logical_id]["Properties"]
    for attribute in old.get("AttributeDefinitions", ()):
        assert attribute in new["AttributeDefinitions"]


@pytest.mark.parametrize("logical_id", NOW)
def test_a_deleted_stack_leaves_its_stores(logical_id: str) -> None:
    resource = NOW[logical_id]
    if resource["Type"] == "AWS::Serverless::HttpApi":
        return
    protected = resource["Properties"].get("DeletionProtectionEnabled", False)
    # CloudFormation can't delete a table with deletion protection in a rollback.
    assert resource["DeletionPolicy"] == ("Retain" if protected else "RetainExceptOnCreate")
    assert resource["UpdateReplacePolicy"] == "Retain"
