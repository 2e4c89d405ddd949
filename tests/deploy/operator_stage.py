"""An operator: a terminal with `relay`, `sam` and `aws`, and the commands of docs/operator.md."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.local.build import LAYER, built_app
from infra.local.deploy import API_ID, STACK_NAME, deployment_of
from infra.local.environment import aws_environment, tool_environment
from infra.local.event_sources import set_concurrency
from infra.local.layer import with_mounted_layer
from infra.local.paths import SAM, TOOLS
from infra.local.queues import without_queue_policies
from infra.local.stack import Stack
from relay import VERSION
from relay.identity.api_keys import ApiKeys
from tests.deploy.test_readme import commands
from tests.support.own_stack import PYTHONPATH
from tests.support.template import ROOT

PAGE = "docs/operator.md"
SECONDS = 180.0
_PRELUDE = f"""
relay() {{ "{sys.executable}" -m relay_cli "$@"; }}
aws() {{ "{sys.executable}" -m tests.support.aws_command "$@"; }}
"""


# --- The page ---


def text_of(section: str) -> str:
    """The text of a section of the page."""
    text = (ROOT / PAGE).read_text("utf-8")
    return text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]


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
    return re.findall(r"^ *```\n(.*?)```", text_of(section), flags=re.DOTALL | re.MULTILINE)


def named(section: str, command: str) -> str:
    """A command that the section names in a sentence."""
    assert f"`{command}`" in text_of(section), command
    return command


def configuration(api: str, key: str) -> str:
    """The page's file for the `relay` command, with a deployment's URL and key."""
    text = text_of("Configure the `relay` command")
    [file] = re.findall(r"```\n(url = .*?)```", text, flags=re.DOTALL)
    return re.sub('key = ".*"', f'key = "{key}"', re.sub('url = ".*"', f'url = "{api}"', file))


# --- A terminal ---


@dataclass(frozen=True)
class Terminal:
    """A shell in a folder as after `sam build`, with access to the stack's AWS, and a key for all
    workspaces.
    """

    folder: Path
    stack: Stack
    key: str

    def prepare(self) -> None:
        """Let the folder be a clone with a build, and configure the `relay` command."""
        (self.folder / ".relay").mkdir()
        (self.folder / ".relay" / "venv").symlink_to(TOOLS / "venv")
        self.use_build(self.stack.folder / "build")
        settings = (ROOT / "samconfig.toml").read_text("utf-8")
        deploy = f'tags = "ms-custom-id={API_ID}"\n'
        (self.folder / "samconfig.toml").write_text(f"{settings}{deploy}")
        self.configure(".config/relay/config.toml", self)

    def use_build(self, build: Path) -> None:
        """Let `sam deploy` deploy this build."""
        place = self.folder / ".aws-sam" / "build"
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(build)

    def configure(self, name: str, of: "Terminal") -> None:
        """Write a file with the URL and the key of a deployment."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(configuration(of.stack.api, of.key))

    def write(self, name: str, *lines: dict[str, Any]) -> None:
        """Write a file of lines of JSON."""
        (self.folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))

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

    def deploy(self, command: str, **values: str) -> Stack:
        """The stack after a `sam deploy`."""
        self.run(command, **values)
        set_concurrency(self.stack.aws)
        return replace(self.stack, deployment=deployment_of(self.stack.aws))

    def _environment(self) -> dict[str, str]:
        variables = tool_environment(
            **aws_environment(self.stack.aws.endpoint),
            HOME=str(self.folder),
            PYTHONPATH=PYTHONPATH,
            PYTHONUTF8="1",
            SAM_CLI_POLL_DELAY="0.2",
        )
        variables["PATH"] = f"{SAM.parent}:{variables['PATH']}"
        return {name: value for name, value in variables.items() if not name.startswith("RELAY_")}


def terminal_of(stack: Stack, folder: Path) -> Terminal:
    """A terminal in an empty folder."""
    key = ApiKeys(stack.aws.dynamodb, stack.deployment.outputs["ApiKeysTable"]).issue()
    terminal = Terminal(folder, stack, key)
    terminal.prepare()
    return terminal


# --- Versions and parameters ---


def version_before(stack: Stack) -> Path:
    """A build that differs from the stack's in the version, and in each function's code."""
    build = stack.folder / "version before"
    shutil.copytree(built_app(), build)
    package = build / LAYER / "python" / "relay"
    module = package / "__init__.py"
    module.write_text(module.read_text().replace(f'"{VERSION}"', f'"{VERSION}-before"'))
    # Python would not notice that the module is newer.
    for compiled in package.glob("__pycache__/__init__.*"):
        compiled.unlink()
    for handler in build.glob("*Function/handler.py"):
        handler.write_text(f"{handler.read_text()}\n# the version before\n")
    return without_queue_policies(with_mounted_layer(build, stack.folder / "before")).parent


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


def parameters_of(command: str) -> dict[str, str]:
    """The parameters that a `sam deploy` passes."""
    words = shlex.split(command)
    values = words[words.index("--parameter-overrides") + 1 :]
    return dict(value.split("=", 1) for value in values)


def parameters_now(stack: Stack) -> dict[str, str]:
    [known] = stack.aws.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in known["Parameters"]}
