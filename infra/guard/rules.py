"""CloudFormation Guard and Control Tower's rules, which AWS publishes in one package of npm."""

import json
import platform
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.guard.check import Failure
from infra.local.failure import StackFailure
from infra.local.paths import TOOLS
from infra.npm_package import NotFetched, NpmPackage

PACKAGE = NpmPackage(
    "@cdklabs/cdk-validator-cfnguard",
    "0.0.62",
    "sha512-Sg2k8067B0AIJ82QFSLhHTUIqxOYTKABvVrTHiyc6j0rE2NHli2diIYqf+w+DkuD"
    "KCYYgMIOga3OrYMOHUw0mQ==",
)
CACHE = TOOLS / "guard"
_RULES = "package/rules/control-tower/cfn-guard"
# The package's names of what `platform` reports; the binary for Ubuntu is static.
_SYSTEMS = {"Linux": "ubuntu", "Darwin": "macos"}
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_RUN_SECONDS = 120
# All rules were followed; some were not.
_RAN = (0, 19)


def failures(template: Mapping[str, Any], cache: Path = CACHE) -> list[Failure]:
    """The rules that resources of the template, without SAM's types, do not follow.

    Fetches the package if the cache lacks it. Raises NotFetched and StackFailure.
    """
    folder = cache / PACKAGE.version
    binary = folder / "package" / "bin" / _binary()
    if not folder.exists():
        _fetch(folder)
    binary.chmod(0o755)
    with tempfile.NamedTemporaryFile("w", prefix="relay-guard-", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        options = ["--show-summary", "none", "--output-format", "json", "--structured"]
        ran = subprocess.run(  # noqa: S603 (a fixed command)
            [str(binary), "validate", "-d", file.name, "-r", str(folder / _RULES), *options],
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
    if ran.returncode not in _RAN:
        raise StackFailure(f"CloudFormation Guard failed:\n{ran.stderr[-1000:]}")
    [report] = json.loads(ran.stdout)
    return [failure for one in report["not_compliant"] for failure in _failures_of(one["Rule"])]


def _binary() -> Path:
    system, machine = platform.system(), platform.machine()
    if system not in _SYSTEMS or machine not in _MACHINES:
        raise NotFetched(f"{PACKAGE.name} has no binary for {system} on {machine}.")
    return Path(_SYSTEMS[system], _MACHINES[machine], "cfn-guard")


def _fetch(folder: Path) -> None:
    """Creates the folder atomically, even if other processes fetch at the same time."""
    print(f"Fetching {PACKAGE.name} …", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder.parent) as unfinished:
        unpacked = Path(unfinished, "unpacked")
        with tarfile.open(PACKAGE.fetched(Path(unfinished))) as archive:
            archive.extractall(unpacked, filter="data")  # its hash was checked
        try:
            unpacked.rename(folder)
        except OSError:
            # Another process was faster; its folder is equal.
            if not folder.exists():
                raise


def _failures_of(rule: Mapping[str, Any]) -> Iterator[Failure]:
    """One failure for each resource that the rule's report names."""
    messages = [one for one in _values(rule, "custom_message") if one]
    message = " ".join(messages[0].split()) if messages else "no message"
    paths = (one for one in _values(rule, "path") if one.startswith("/Resources/"))
    for resource in sorted({path.split("/")[2] for path in paths}):
        yield Failure(str(rule["name"]), resource, message)


def _values(report: Any, name: str) -> Iterator[str]:
    """The strings of this name, at any depth."""
    if isinstance(report, list):
        for one in report:
            yield from _values(one, name)
    elif isinstance(report, dict):
        for key, one in report.items():
            if key == name and isinstance(one, str):
                yield one
            else:
                yield from _values(one, name)
