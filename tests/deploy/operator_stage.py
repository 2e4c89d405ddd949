"""What an operator has: deployments, a terminal with the `relay` command, and docs/operator.md."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws import LocalAws
from infra.local.build import LAYER, built_app
from infra.local.deploy import deploy
from infra.local.event_sources import set_concurrency
from infra.local.first_tenant import Tenancy
from infra.local.layer import with_mounted_layer
from infra.local.queues import without_queue_policies
from infra.local.stack import Options, Stack, temporary_stack
from infra.local.story import Story
from relay import VERSION
from tests.deploy.test_readme import commands
from tests.support.template import ROOT

PAGE = "docs/operator.md"
SECONDS = 120.0
TABLES = ("TenantsTable", "CatalogTable", "RecordTable", "ApiKeysTable")
_WRITTEN_AT_ONCE = 25


# --- Deployments ---


@contextmanager
def deployment(options: Options) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("RELAY_PORT", "RELAY_JIRA_PORT"):
            patch.delenv(variable, raising=False)
        with temporary_stack(options) as running:
            yield running


def version_before(folder: Path) -> Path:
    """A build that differs from this tree's in the version, and in each function's code."""
    build = folder / "version before"
    shutil.copytree(built_app(), build)
    package = build / LAYER / "python" / "relay"
    module = package / "__init__.py"
    module.write_text(module.read_text().replace(f'"{VERSION}"', f'"{VERSION}-before"'))
    # Python would not notice that the module is newer.
    for compiled in package.glob("__pycache__/__init__.*"):
        compiled.unlink()
    for handler in build.glob("*Function/handler.py"):
        handler.write_text(f"{handler.read_text()}\n# the version before\n")
    return build


def upgraded(stack: Stack) -> Stack:
    """The stack after `sam deploy` of this tree's build."""
    build = with_mounted_layer(built_app(), stack.folder / "upgrade")
    return deployed_with(stack, without_queue_policies(build))


def deployed_with(stack: Stack, template: Path, **parameters: str) -> Stack:
    deployed = deploy(template, stack.aws, stack.jira.url, stack.folder, parameters)
    set_concurrency(stack.aws)
    return replace(stack, deployment=deployed)


def code_of(stack: Stack) -> dict[str, tuple[str, str]]:
    """The hash of each function's code, and its layer."""
    found = {}
    for function, name in stack.deployment.functions.items():
        known = stack.aws.functions.get_function_configuration(FunctionName=name)
        [layer] = known["Layers"]
        found[function] = (known["CodeSha256"], layer["Arn"])
    return found


def are_replaced(before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]) -> bool:
    """Whether each function has other code and another layer than it had."""
    return before.keys() == after.keys() and all(
        code != after[function][0] and layer != after[function][1]
        for function, (code, layer) in before.items()
    )


def dead_letters(stack: Stack) -> dict[str, int]:
    """The number of messages in each queue of dead letters that has any."""
    found = {}
    for output, url in stack.deployment.outputs.items():
        if output.endswith("DeadLetters"):
            known = stack.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            found[output] = int(known["Attributes"]["ApproximateNumberOfMessages"])
    return {output: count for output, count in found.items() if count}


def items(stack: Stack, *words: str) -> list[str]:
    """The items of all tables with any of these words in them, whatever their attributes."""
    scan = stack.aws.dynamodb.get_paginator("scan")
    found = (
        f"{table}: {sorted(item.items())}"
        for table in TABLES
        for page in scan.paginate(TableName=stack.deployment.outputs[table])
        for item in page["Items"]
    )
    return sorted(item for item in found if any(word in item for word in words))


def restored_copy(stack: Stack, table: str) -> str:
    """A new table with the items of one, as a restore to a point in time makes it."""
    dynamodb = stack.aws.dynamodb
    known = dynamodb.describe_table(TableName=table)["Table"]
    name = f"{table}-restored"
    dynamodb.create_table(
        TableName=name,
        KeySchema=known["KeySchema"],
        AttributeDefinitions=known["AttributeDefinitions"],
        BillingMode="PAY_PER_REQUEST",
    )
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        puts: list[Any] = [{"PutRequest": {"Item": item}} for item in page["Items"]]
        for start in range(0, len(puts), _WRITTEN_AT_ONCE):
            some = puts[start : start + _WRITTEN_AT_ONCE]
            dynamodb.batch_write_item(RequestItems={name: some})
    return name


# --- A terminal ---


@dataclass(frozen=True)
class Terminal:
    """A shell in a folder, whose file `config` has the URL and the key for the `relay` command."""

    folder: Path
    config: str = "relay.toml"

    def configure(self, config: str, stack: Stack, tenancy: Tenancy) -> None:
        """Write a file for `--config`."""
        path = self.folder / config
        path.touch(mode=0o600)
        path.write_text(f'url = "{stack.api}"\nkey = "{tenancy.api_key}"\n')

    def write(self, name: str, *lines: dict[str, Any]) -> None:
        """Write a file of lines of JSON."""
        (self.folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def run(self, script: str, **values: str) -> str:
        """The standard output of a script of bash, whose words in `values` are replaced."""
        done = self.ran(script, **values)
        assert done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def ran(self, script: str, **values: str) -> subprocess.CompletedProcess[str]:
        for name, value in values.items():
            script = re.sub(rf"\b{name}\b", value, script)
        relay = f'relay() {{ "{sys.executable}" -m relay_cli "$@"; }}'
        return subprocess.run(
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", f"{relay}\n{script}"],
            cwd=self.folder,
            env={
                "HOME": str(self.folder),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{ROOT}/shared:{ROOT}/cli",
                "PYTHONUTF8": "1",
                "RELAY_CONFIG": self.config,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def terminal_of(folder: Path, story: Story, config: str = "relay.toml") -> Terminal:
    """A terminal for the story's deployment, with its key."""
    terminal = Terminal(folder, config)
    terminal.configure(config, story.stack, story.tenancy)
    return terminal


# --- The page ---


def steps(section: str) -> list[str]:
    """The commands in the blocks of a section of the page, one each."""
    return [line.strip() for line in commands(PAGE, section).replace("\\\n", "").splitlines()]


def named(section: str, command: str) -> str:
    """A command that the section names in a sentence."""
    text = (ROOT / PAGE).read_text("utf-8")
    found = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert f"`{command}`" in found, command
    return command


def run_aws(command: str, aws: LocalAws, **values: str) -> None:
    """What a command `aws dynamodb …` does, whose words in `values` are replaced."""
    _, service, operation, *rest = [values.get(word, word) for word in shlex.split(command)]
    assert service == "dynamodb"
    parameters: dict[str, Any] = {}
    for number, word in enumerate(rest):
        if word.startswith("--"):
            given = rest[number + 1] if number + 1 < len(rest) else "--"
            name = "".join(part.capitalize() for part in word[2:].split("-"))
            parameters[name] = True if given.startswith("--") else _value(given)
    getattr(aws.dynamodb, operation.replace("-", "_"))(**parameters)


def _value(given: str) -> Any:
    if "=" not in given:
        return given
    pairs = (pair.split("=") for pair in given.split(","))
    return {name: value == "true" if value in ("true", "false") else value for name, value in pairs}
