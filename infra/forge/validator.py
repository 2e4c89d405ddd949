"""Atlassian's validator of Forge manifests, which npm fetches and Node runs."""

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local.environment import tool_environment
from infra.local.failure import StackFailure
from infra.local.paths import TOOLS
from infra.local.processes import run_command
from relay_cli.forge_page import write_files

PACKAGE = "@forge/manifest"
NODE_MIN = 20
CACHE = TOOLS / "forge"

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")
_SCRIPT = _HERE / "validate.cjs"
_FETCH_SECONDS = 300
_RUN_SECONDS = 120
# Without a network, npm's default number of attempts takes minutes.
_TRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
_FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", *_TRIES)


class NotHere(Exception):
    """This machine can't run the validator; the message names what is missing."""


class NotFetched(Exception):
    """npm could not fetch the validator; the message names its log."""


@dataclass(frozen=True)
class Validator:
    """The validator in `folder`, where npm has installed it."""

    node: str
    folder: Path

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a manifest; its definitions contain every Connect module."""
        path = self.folder / "node_modules" / PACKAGE / "out" / "schema" / "manifest-schema.json"
        schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return schema

    @property
    def version(self) -> str:
        """The package's version."""
        package = json.loads((self.folder / "package.json").read_text("utf-8"))
        return str(package["dependencies"][PACKAGE])

    def messages(
        self, manifests: Mapping[str, str], beside: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """The validator's messages by the YAML text's name; empty for a valid text.

        `beside` are the texts of the files that the manifests name, by their path.
        """
        with tempfile.TemporaryDirectory(prefix="relay-forge-") as folder:
            write_files(Path(folder), beside.items())
            files = {name: Path(folder) / str(number) for number, name in enumerate(manifests)}
            for name, file in files.items():
                file.write_text(manifests[name], "utf-8")
            reported = self._run(folder, *map(str, files.values()))
        return {name: reported[str(file)] for name, file in files.items()}

    def _run(self, folder: str, *files: str) -> dict[str, list[str]]:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [self.node, str(_SCRIPT), str(self.folder), *files],
            cwd=folder,
            env=tool_environment(),
            # Its standard error goes to the terminal.
            stdout=subprocess.PIPE,
            text=True,
            timeout=_RUN_SECONDS,
            check=True,
        )
        reported: dict[str, list[str]] = json.loads(done.stdout)
        return reported


def validator(cache: Path = CACHE) -> Validator:
    """Returns the validator, fetched if the cache lacks it. Raises NotHere or NotFetched."""
    node, npm = _tool("node"), _tool("npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    major = re.match(r"v(\d+)", version.stdout)
    if not major or int(major[1]) < NODE_MIN:
        raise NotHere(
            f"that requires Node.js {NODE_MIN}, but this machine has {version.stdout.strip()}."
        )
    digest = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES))
    folder = cache / digest.hexdigest()[:16]
    if not folder.exists():
        _fetch(npm, folder)
    return Validator(node, folder)


def _tool(name: str) -> str:
    path = shutil.which(name)
    if not path:
        raise NotHere(f"that requires Node.js and npm, but this machine has no {name}.")
    return path


def _fetch(npm: str, folder: Path) -> None:
    """Create the folder atomically, even if other processes fetch at the same time."""
    print(f"Fetching {PACKAGE} …", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.parent / "npm.log"
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        for name in _FILES:
            shutil.copy(_HERE / name, unfinished)
        command = [npm, *_FETCH, "--prefix", str(unfinished)]
        run_command("npm ci", command, tool_environment(**_trusted()), log, _FETCH_SECONDS)
        _put(unfinished, folder)
    except StackFailure:
        # The registry's answers may contain its host, so they are only logged.
        raise NotFetched(
            f"npm could not fetch {PACKAGE}. Check that an npm registry is reachable. "
            f"The complete error is in {log}"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _trusted() -> dict[str, str]:
    """Trust the machine's certificates in addition to Node's, as a proxy may require."""
    bundle = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    chosen = os.environ.get("NODE_EXTRA_CA_CERTS", bundle)
    return {"NODE_EXTRA_CA_CERTS": chosen} if Path(chosen).exists() else {}


def _put(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.rename(folder)
    except OSError:
        # Another process was faster; its folder is equal.
        if not folder.exists():
            raise
