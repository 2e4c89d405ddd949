"""Every command of the README and of the documents' quick starts, as printed and in order: in a
clone, by a shell, without any of the user's own configuration.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.embedded_aws import start_ministack
from infra.local.environment import aws_environment, tool_environment
from infra.local.paths import SAM, TOOLS
from infra.local.ports import free_port
from infra.local.processes import stop_services
from tests.support.template import ROOT

SECONDS = 600
# It would run these tests again.
_NOT_HERE = "make test"
FETCHED = ("bench", "builds", "ministack", "sam", "uv", "venv")


def commands(document: str, section: str = "") -> str:
    """The commands in the blocks without a language, of this section or of the whole document."""
    text = (ROOT / document).read_text("utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found, language = "", None
    for line in text.splitlines(keepends=True):
        if line.strip().startswith("```"):
            language = line.strip()[3:] if language is None else None
        elif language == "" and not line.lstrip().startswith(_NOT_HERE):
            found += line
    return found


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the tools that `make` has already fetched, after the locks were written."""
    clone = tmp_path_factory.mktemp("another clone") / "relay"
    without = shutil.ignore_patterns(".*", "__pycache__", "performance")
    shutil.copytree(ROOT, clone, ignore=without)
    for lock in [clone / "pyproject.toml", *(clone / "requirements").iterdir()]:
        os.utime(lock, (0, 0))
    (clone / ".relay").mkdir()
    for name in FETCHED:
        if (TOOLS / name).exists():
            (clone / ".relay" / name).symlink_to((TOOLS / name).resolve())
    return clone


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An account to deploy to, and SAM CLI."""
    embedded = start_ministack(free_port(), tmp_path_factory.mktemp("aws"), False, [])
    tools = tmp_path_factory.mktemp("bin")
    (tools / "sam").symlink_to(SAM)
    path = f"{tools}:{os.environ['PATH']}"
    home = str(tmp_path_factory.mktemp("home"))
    plain = {
        name: value for name, value in tool_environment().items() if not name.startswith("RELAY_")
    }
    yield {**plain, **aws_environment(embedded.endpoint), "PATH": path, "HOME": home}
    stop_services([embedded.service])


def run(script: str, clone: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-eu", "-o", "pipefail", "-x", "-c", script],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(autouse=True)
def nothing_stays_up(clone: Path, environment: dict[str, str]) -> Iterator[None]:
    yield
    run("make down", clone, environment)


def test_the_readme_runs_from_top_to_bottom(clone: Path, environment: dict[str, str]) -> None:
    script = commands("README.md")
    assert [command in script for command in ("make demo", "curl", "sam deploy", "relay dlq")]

    ran = run(script, clone, environment)

    assert ran.returncode == 0, ran.stdout
    assert "Jira has every submitted entity once" in ran.stdout
    assert "Jira shows each incident once" in ran.stdout
    assert '"accepted": 1, "rejected": 0' in ran.stdout
    assert "Successfully created/updated stack - relay" in ran.stdout
    assert re.search(r"^relay_[0-9a-f]{16}_\S{43}$", ran.stdout, re.MULTILINE)


def test_the_quick_start_of_the_operations_tools_engineer(
    clone: Path, environment: dict[str, str]
) -> None:
    in_path = 'relay() { .relay/venv/bin/relay "$@"; }'
    quick_start = commands("docs/provider.md", "Quick start")
    arrived = "until relay status operations inc-1 | grep -q accepted; do sleep 1; done\n"
    association = commands("docs/provider.md", "Webhooks")
    script = f"make up\n{in_path}\n{quick_start}{arrived}{association}"

    ran = run(script, clone, environment)

    assert ran.returncode == 0, ran.stdout
    assert "0 failed" in ran.stdout
    assert re.search(r'"call": ?"onEntityAssociated".*"status": ?204', ran.stdout)


def test_the_operators_quick_start_is_the_readmes() -> None:
    deploy = "sam build && sam deploy\nmake api-key STACK=relay ALL_WORKSPACES=1\n"

    assert commands("docs/operator.md", "Deploy").startswith(deploy)
    assert deploy in commands("README.md")
