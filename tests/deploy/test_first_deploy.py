"""`sam build` and `sam deploy` as a new user runs them: in a clone whose path has a space, with
only SAM, make and Python, and without keyboard input. They deploy to the embedded AWS.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.embedded_aws import start_ministack
from infra.local.environment import aws_environment, tool_environment
from infra.local.paths import SAM, UV
from infra.local.ports import free_port
from infra.local.processes import stop_services
from tests.support.template import ROOT, template

SECONDS = 300
# The machine field of an ELF header.
MACHINES = {"Arm64Layer": 183, "X86Layer": 62}
LAYERS = {"arm64": "Arm64Layer", "x86_64": "X86Layer"}
RUNTIMES = template()["Parameters"]["Runtime"]["AllowedValues"]
VERSIONS = [runtime.removeprefix("python") for runtime in RUNTIMES]
RUNTIME = template()["Parameters"]["Runtime"]["Default"]
SOURCES = ("functions", "shared", "atlassian-connect.json", "samconfig.toml", "template.yaml")


def sam(clone: Path, *arguments: str, keys: str = "", **variables: str) -> str:
    """SAM's output. `keys` is all the keyboard input; a prompt beyond that fails."""
    environment = tool_environment(
        AWS_DEFAULT_REGION="eu-west-1", SAM_CLI_POLL_DELAY="0.2", PATH="/usr/bin:/bin"
    )
    ended = subprocess.run(
        [str(SAM), *arguments],
        cwd=clone,
        env=environment | variables,
        input=keys,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone, built by pip."""
    clone = tmp_path_factory.mktemp("my clones") / "relay"
    clone.mkdir()
    without = shutil.ignore_patterns("__pycache__")
    for source in map(ROOT.joinpath, SOURCES):
        if source.is_dir():
            shutil.copytree(source, clone / source.name, ignore=without)
        else:
            shutil.copy(source, clone)
    said = sam(clone, "build", PYTHON=str(UV.with_name("python")), UV="no-uv")
    assert "Build Succeeded" in said
    return clone


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The calls that reach AWS."""
    embedded = start_ministack(free_port(), tmp_path_factory.mktemp("aws"), False, [])
    yield aws_environment(embedded.endpoint)
    stop_services([embedded.service])


def built(clone: Path, layer: str) -> Path:
    return clone / ".aws-sam" / "build" / layer / "python"


def deployed(aws: dict[str, str], stack: str) -> list[dict[str, Any]]:
    """A stack's functions, with the architectures of their layer."""
    client = boto3.client(
        "lambda",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name=aws["AWS_REGION"],
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
    )
    functions = [
        function
        for page in client.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if function["FunctionName"].startswith(f"{stack}-")
    ]
    return [
        {
            "architectures": function["Architectures"],
            "runtime": function["Runtime"],
            "layer": client.get_layer_version_by_arn(Arn=layer["Arn"])["CompatibleArchitectures"],
        }
        for function in functions
        for layer in function["Layers"]
    ]


@pytest.mark.parametrize("layer", MACHINES)
def test_a_layer_holds_the_binaries_of_its_architecture_for_every_runtime(
    clone: Path, layer: str
) -> None:
    binaries = list(built(clone, layer).rglob("*.so"))

    machines = {int.from_bytes(path.read_bytes()[18:20], "little") for path in binaries}
    assert machines == {MACHINES[layer]}
    names = [path.name.split(".") for path in binaries]
    tags = {version.replace(".", "") for version in VERSIONS}
    # A stable one, as `module.abi3.so`, is loaded by every version.
    for module in {name[0] for name in names if name[1] != "abi3"}:
        assert {name[1].split("-")[1] for name in names if name[0] == module} == tags


def test_both_layers_hold_the_same_but_for_the_binaries(clone: Path) -> None:
    def modules(layer: str) -> set[Path]:
        site = built(clone, layer)
        return {path.relative_to(site) for path in site.rglob("*.py")}

    assert modules("Arm64Layer") == modules("X86Layer")
    assert Path("relay/__init__.py") in modules("X86Layer")


@pytest.mark.parametrize("architecture", LAYERS)
def test_a_deployment_uses_the_layer_of_its_architecture(
    clone: Path, aws: dict[str, str], architecture: str
) -> None:
    stack = f"relay-{architecture.replace('_', '')}"
    said = sam(
        clone,
        "deploy",
        "--stack-name",
        stack,
        "--parameter-overrides",
        f"Architecture={architecture}",
        **aws,
    )

    assert f"Successfully created/updated stack - {stack}" in said
    expected = {"architectures": [architecture], "runtime": RUNTIME, "layer": [architecture]}
    functions = deployed(aws, stack)
    assert functions == [expected] * len(functions)
    assert len(functions) > 10


def test_deploying_an_unchanged_stack_succeeds(clone: Path, aws: dict[str, str]) -> None:
    sam(clone, "deploy", **aws)

    assert "Stack relay is up to date" in sam(clone, "deploy", **aws)


def test_a_guided_deploy_uses_its_own_answers(clone: Path, aws: dict[str, str]) -> None:
    kept = (clone / "samconfig.toml").read_text()
    try:
        said = sam(clone, "deploy", "--guided", "--stack-name", "guided", keys="\n" * 60, **aws)
    finally:
        (clone / "samconfig.toml").write_text(kept)

    assert "no authentication" not in said
    assert "Successfully created/updated stack - guided" in said


def test_a_key_for_a_missing_stack_is_refused_in_two_lines(aws: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "infra.api_key", "--stack", "nope", "--all-workspaces"],
        cwd=ROOT,
        env=tool_environment(PYTHONPATH=f"{ROOT}/shared:{ROOT}") | aws,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 2)
    assert "nope" in ended.stderr


# --- Compiling the layer, which needs a Python of its version ---


def compiled(layer: Path, version: str) -> str:
    """The output of the compilation."""
    (layer / "python").mkdir(parents=True)
    (layer / "python" / "module.py").write_text("VALUE = 1\n")
    ended = subprocess.run(
        ["/bin/sh", "compile.sh", version, "no-uv", str(layer)],
        cwd=ROOT / "shared",
        env={"PATH": "/usr/bin:/bin", "RELAY_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return ended.stdout


def test_modules_are_compiled_by_the_layers_python_version(tmp_path: Path) -> None:
    layer = tmp_path / "a layer"

    assert compiled(layer, "{}.{}".format(*sys.version_info)) == ""
    [module] = (layer / "python" / "__pycache__").iterdir()
    assert module.read_bytes().startswith(MAGIC_NUMBER)


def test_a_layer_that_no_local_python_can_compile_is_reported(tmp_path: Path) -> None:
    said = compiled(tmp_path / "layer", "2.99")

    assert said.count("\n") == 1
    assert "No Python 2.99 was found" in said
    assert "cold starts" in said


def test_the_same_python_versions_are_named_everywhere() -> None:
    listed = " ".join(VERSIONS)
    layers = [template()["Resources"][name]["Properties"] for name in LAYERS.values()]

    assert RUNTIMES[0] == RUNTIME
    assert [layer["CompatibleRuntimes"] for layer in layers] == [RUNTIMES] * 2
    assert f"RELAY_PYTHON_VERSIONS ?= {listed}\n" in (ROOT / "shared" / "Makefile").read_text()
    assert f"RUNTIMES = {listed}\n" in (ROOT / "Makefile").read_text()
