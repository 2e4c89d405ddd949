"""An operator: a terminal with `relay`, `sam` and `aws`, and the commands of docs/operator.md."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.deploy import API_ID, STACK_NAME
from infra.local.environment import aws_environment, tool_environment
from infra.local.event_sources import set_concurrency
from infra.local.paths import SAM, TOOLS
from infra.local.stack import Stack
from infra.local.story import Story
from tests.deploy.test_readme import commands
from tests.e2e.states import incidents
from tests.e2e.steering import wait_until
from tests.support.entities import incident
from tests.support.template import ROOT

PAGE = "docs/operator.md"
SECONDS = 180.0
_PRELUDE = f"""
relay() {{ "{sys.executable}" -m relay_cli "$@"; }}
aws() {{ "{sys.executable}" -m tests.support.aws_command "$@"; }}
"""


def steps(section: str, document: str = PAGE) -> list[str]:
    """The commands in the blocks of a section, or of all, one each."""
    text = commands(document, section).replace("\\\n", "")
    return [re.sub(r"\s+", " ", line.strip()) for line in text.splitlines() if line.strip()]


def step(section: str, beginning: str) -> str:
    """The only command of the section that begins so."""
    [found] = [one for one in steps(section) if one.startswith(beginning)]
    return found


def blocks(section: str) -> list[str]:
    """The text of each block of a section."""
    text = (ROOT / PAGE).read_text("utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^ *```\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE)


def configuration(api: str, key: str) -> str:
    """The page's file for the `relay` command, with a deployment's URL and key."""
    text = (ROOT / PAGE).read_text("utf-8")
    [file] = re.findall(r"```\n(url = .*?)```", text, flags=re.DOTALL)
    return re.sub('key = ".*"', f'key = "{key}"', re.sub('url = ".*"', f'url = "{api}"', file))


@dataclass(frozen=True)
class Terminal:
    """A shell in a folder as after `sam build`, with access to the stack's AWS."""

    folder: Path
    stack: Stack

    def prepare(self) -> None:
        """Let the folder be a clone with a build."""
        (self.folder / ".relay").mkdir()
        (self.folder / ".relay" / "venv").symlink_to(TOOLS / "venv")
        self.use_build(self.stack.folder / "build")
        settings = (ROOT / "samconfig.toml").read_text("utf-8")
        deploy = f'tags = "ms-custom-id={API_ID}"\n'
        (self.folder / "samconfig.toml").write_text(f"{settings}{deploy}")

    def use_build(self, build: Path) -> None:
        """Let `sam deploy` deploy this build."""
        place = self.folder / ".aws-sam" / "build"
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(build)

    def configure(self, document: str) -> None:
        """Write the file that the `relay` command reads without options."""
        path = self.folder / ".config" / "relay" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(document)

    def run(self, script: str, answers: str = "", **values: str) -> str:
        """The standard output of a script of bash, whose words in `values` are replaced."""
        for name, value in values.items():
            script = re.sub(rf"\b{name}\b", value, script)
        done = subprocess.run(
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", _PRELUDE + script],
            cwd=self.folder,
            env=self._environment(),
            input=answers,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def deploy(self, command: str) -> None:
        """Run a `sam deploy`."""
        self.run(command)
        set_concurrency(self.stack.aws)

    def _environment(self) -> dict[str, str]:
        variables = tool_environment(
            **aws_environment(self.stack.aws.endpoint),
            HOME=str(self.folder),
            PYTHONPATH=f"{ROOT}/shared:{ROOT}/cli:{ROOT}",
            PYTHONUTF8="1",
            SAM_CLI_POLL_DELAY="0.2",
        )
        variables["PATH"] = f"{SAM.parent}:{variables['PATH']}"
        return {name: value for name, value in variables.items() if not name.startswith("RELAY_")}


def other_build(build: Path, folder: Path) -> Path:
    """A copy of the build with other code of each function, as another version has."""
    copied = folder / "another version"
    shutil.copytree(build, copied, symlinks=True)
    for handler in copied.glob("*Function/handler.py"):
        handler.write_text(f"{handler.read_text()}\n# another version\n")
    return copied


def parameters_of(command: str) -> dict[str, str]:
    """The parameters that a `sam deploy` passes."""
    words = shlex.split(command)
    values = words[words.index("--parameter-overrides") + 1 :]
    return dict(value.split("=", 1) for value in values)


def parameters_now(stack: Stack) -> dict[str, str]:
    [known] = stack.aws.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in known["Parameters"]}


def adopted_names(terminal: Terminal) -> dict[str, str]:
    """The parameters that adopt what the stack uses, by the table of the page."""
    [describe] = [one for one in steps("Existing data") if "describe-stacks" in one]
    outputs = dict(line.split("\t") for line in terminal.run(describe).splitlines())
    text = (ROOT / PAGE).read_text("utf-8").partition("\n## Existing data\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text.partition("\n## ")[0], flags=re.MULTILINE)
    assert len(rows) == 5
    return {parameter: outputs[output] for parameter, output in rows}


def delete_kept(terminal: Terminal, kept: list[list[str]], deletions: list[str]) -> None:
    """Delete what a removed stack has left: kinds of resources with their names."""
    words = {"AWS::DynamoDB::Table": "NAME", "AWS::SQS::Queue": "URL", "AWS::KMS::Key": "ID"}
    for kind, name in kept:
        for command in deletions:
            if words[kind] in command.split():
                terminal.run(command, **{words[kind]: name})


@contextmanager
def dead(stack: Stack, queue: str, source: str) -> Iterator[None]:
    """What the block sends to the queue becomes a dead letter instead of being processed."""
    functions, sqs = stack.aws.functions, stack.aws.sqs
    mapping = stack.deployment.resources[source]
    outputs = stack.deployment.outputs
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield
    moved = []

    def is_moved() -> bool:
        answer = sqs.receive_message(
            QueueUrl=outputs[f"{queue}Queue"],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            sqs.send_message(
                QueueUrl=outputs[f"{queue}DeadLetters"],
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
            )
            sqs.delete_message(
                QueueUrl=outputs[f"{queue}Queue"], ReceiptHandle=message["ReceiptHandle"]
            )
            moved.append(message["MessageId"])
        return bool(moved)

    wait_until(is_moved, f"a message is in the queue {queue}")
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def running(stack: Stack) -> set[bool]:
    """Whether each queue has its function, or only some or none."""
    found = stack.aws.functions.list_event_source_mappings()["EventSourceMappings"]
    return {one["State"] in ("Enabled", "Enabling") for one in found}


def codes(stack: Stack) -> dict[str, str]:
    """The hash of each function's code."""
    names = stack.deployment.functions
    return {
        function: stack.aws.functions.get_function_configuration(FunctionName=name)["CodeSha256"]
        for function, name in names.items()
    }


def shown_ids(story: Story) -> set[str]:
    """The ids of the workspace's incidents at the site."""
    return {one["id"] for one in story.shown()["incident"]}


def delivers(story: Story, name: str) -> None:
    """Submit an incident; it arrives at the site."""
    story.submit(incidents(incident(name)))
    assert story.wait_for_delivery(1)
    assert name in shown_ids(story)


def redrive(terminal: Terminal, queue: str) -> None:
    """Send the only dead letter of a queue back by the page's commands."""
    listing, command = (
        one for one in steps("Dead letters") if one.partition("--queue ")[2].startswith(queue)
    )

    def listed() -> int:
        return len(json.loads(terminal.run(f"{listing} --json"))["letters"])

    assert listed() == 1
    terminal.run(command)
    assert listed() == 0
