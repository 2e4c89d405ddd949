"""`relay doctor` and tables that a stack adopts: each must be the one that it is taken for."""

from itertools import permutations
from typing import Any

import pytest

from relay_cli.aws import Aws
from relay_cli.aws import Stack as CloudFormationStack
from relay_cli.config import AwsAccess
from relay_cli.finding import Finding, Level
from relay_cli.tables import TABLES, table_findings
from tests.golden.dump import TABLES as VARIABLES
from tests.golden.dump import items_of, versions
from tests.golden.kinds import item_kinds
from tests.integration.cli_stage import Stage, queue_outputs, table_outputs, write_stack_file
from tests.support.aws import REGION
from tests.support.aws import Aws as EmulatedAws
from tests.support.aws_calls import aws_calls, client_error

OUTPUTS = [table.output for table in TABLES]


@pytest.fixture(name="outputs")
def tables_with_all_that_a_release_has_stored(aws: EmulatedAws) -> dict[str, str]:
    for table, variable in VARIABLES.items():
        for item in items_of(versions()[-1], table):
            keys: dict[str, Any] = {name: item[name] for name in ("pk", "sk") if name in item}
            aws.dynamodb.put_item(TableName=aws.environment[variable], Item=keys)
    return table_outputs(aws)


def found(outputs: dict[str, str], **parameters: str) -> dict[str, Finding]:
    stack = CloudFormationStack(outputs, parameters)
    findings = table_findings(Aws(AwsAccess(region=REGION)), stack)
    return {finding.check: finding for finding in findings}


def test_the_right_tables_are_right(outputs: dict[str, str]) -> None:
    assert {one.level for one in found(outputs).values()} == {Level.OK}
    assert len(found(outputs)) == len(TABLES)


@pytest.mark.parametrize(("taken", "other"), list(permutations(OUTPUTS, 2)))
def test_a_table_that_is_taken_for_another_is_named(
    outputs: dict[str, str], taken: str, other: str
) -> None:
    [table] = [table for table in TABLES if table.output == taken]

    finding = found(outputs | {taken: outputs[other]})[f"table {table.name}"]

    assert finding.level is Level.FAIL
    assert outputs[other] in finding.message
    assert f"{taken}Name" in finding.action


def test_a_table_that_does_not_exist_is_named(outputs: dict[str, str]) -> None:
    finding = found(outputs | {"RecordTable": "relay-recrod"})["table record"]
    assert (finding.level, "no table relay-recrod" in finding.message) == (Level.FAIL, True)


def test_only_an_own_table_may_be_empty(aws: EmulatedAws) -> None:
    outputs = table_outputs(aws)
    adopted = {"RecordTableName": outputs["RecordTable"]}
    levels = {check: one.level for check, one in found(outputs, **adopted).items()}
    assert levels.pop("table record") is Level.WARN
    # The key of the test itself is in the other one.
    assert set(levels.values()) == {Level.OK}


def test_another_programs_table_is_a_warning(aws: EmulatedAws) -> None:
    item = {"pk": {"S": "order#1"}, "sk": {"S": "order"}}
    aws.dynamodb.put_item(TableName=aws.environment["RECORD_TABLE"], Item=item)
    assert found(table_outputs(aws))["table record"].level is Level.WARN


def test_tables_that_may_not_be_read_are_a_warning_beside_the_other_findings(stage: Stage) -> None:
    stage.link()
    aws = stage.relay.aws
    outputs = queue_outputs(aws) | table_outputs(aws)
    write_stack_file(api=stage.cli.url, apiKey=stage.cli.key, outputs=outputs)
    with aws_calls() as calls:
        calls.before = _refuse_tables
        findings = stage.cli("doctor", "--json").json()["findings"]
    by_check = {one["check"]: one for one in findings}
    assert by_check["queue submissions"]["level"] == "ok"
    assert by_check["table record"]["level"] == "warn"
    assert "dynamodb:DescribeTable" in by_check["table record"]["action"]


def test_the_prefixes_are_those_of_the_tables_keys() -> None:
    """All of them, but for those of which two tables have items."""
    tables: dict[str, set[str]] = {}
    for kind in item_kinds():
        prefix = kind.pk.pattern.replace("\\", "").partition("#")[0]
        tables.setdefault(prefix, set()).add(kind.table)
    for table in TABLES:
        if table.prefixes:
            own = {prefix for prefix, owners in tables.items() if owners == {table.name}}
            assert table.prefixes == own


def _refuse_tables(operation: str) -> None:
    if operation == "DescribeTable":
        raise client_error("AccessDenied")
