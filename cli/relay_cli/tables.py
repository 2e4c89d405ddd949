"""Relay's tables, and the checks of `relay doctor` that each is the one that it is taken for.

Three of them have the same key: Relay would find nothing in a wrong one, and write into it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from relay_cli.aws import Aws, Stack
from relay_cli.finding import Finding, fail, ok, warn


@dataclass(frozen=True)
class Table:
    """A table. `output` names the stack's output with the table's name; `prefixes` are what its
    items' partition keys begin with, up to the first #, and those of no other table."""

    name: str
    output: str
    key: tuple[str, ...]
    prefixes: frozenset[str]

    @property
    def parameter(self) -> str:
        """The stack's parameter for an existing table."""
        return f"{self.output}Name"


_KEY = ("pk", "sk")
TABLES = (
    Table(
        "tenants",
        "TenantsTable",
        _KEY,
        frozenset(
            [
                "tenant",
                "tenants",
                "clientKey",
                "installationId",
                "forgotten",
                "forgeCloudId",
                "baseUrl",
                "workspaceKey",
            ]
        ),
    ),
    Table(
        "catalog",
        "CatalogTable",
        _KEY,
        frozenset(
            [
                "workspaces",
                "sourceAddress",
                "sourceAlarm",
                "sourceDelivery",
                "refusingSources",
                "site",
                "erasures",
                "erased",
                "container",
                "name",
                "updated",
            ]
        ),
    ),
    Table(
        "record",
        "RecordTable",
        _KEY,
        frozenset(["entity", "outcome", "debt", "association", "attempt", "receipt", "retention"]),
    ),
    Table("API keys", "ApiKeysTable", ("pk",), frozenset()),
)


def table_findings(aws: Aws, stack: Stack) -> Iterator[Finding]:
    """Findings for the tables in the stack's outputs. One that can't be read is a finding."""
    from botocore.exceptions import BotoCoreError, ClientError

    for table in TABLES:
        if table.output not in stack.outputs:
            continue
        check, name = f"table {table.name}", stack.outputs[table.output]
        try:
            yield _finding(check, table, name, aws, bool(stack.parameters.get(table.parameter)))
        except aws.dynamodb.exceptions.ResourceNotFoundException:
            yield fail(check, f"There is no table {name}.", _advice(table))
        except (BotoCoreError, ClientError) as error:
            action = "Checking it requires dynamodb:DescribeTable and dynamodb:Scan."
            yield warn(check, str(error), action)


def _finding(check: str, table: Table, name: str, aws: Aws, adopted: bool) -> Finding:
    if aws.key_of_table(name) != table.key:
        return fail(check, f"{name} has another key than this table.", _advice(table))
    prefixes = {key.partition("#")[0] for key in aws.some_keys(name)}
    for other in TABLES:
        if other is not table and prefixes & other.prefixes:
            return fail(check, f"{name} is the table {other.name}.", _advice(table))
    if not prefixes:
        return warn(check, f"{name} is empty.", _advice(table)) if adopted else ok(check, "Empty.")
    if table.prefixes and not prefixes & table.prefixes:
        message = f"None of the items that were read of {name} is one of this table."
        return warn(check, message, _advice(table))
    return ok(check, "Its items are those of this table.")


def _advice(table: Table) -> str:
    return f"Deploy with the name of the right table: {table.parameter}"
