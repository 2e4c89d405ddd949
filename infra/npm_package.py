"""Fetches one package of npm's registry as an archive, and checks its hash."""

import base64
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.local.environment import tool_environment
from infra.local.failure import StackFailure
from infra.local.paths import TOOLS
from infra.local.processes import run_command

_FETCH_SECONDS = 120
# Without a network, npm's default number of attempts takes minutes.
_TRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")


class NotFetched(Exception):
    """The package is not here; the message says why."""


@dataclass(frozen=True)
class NpmPackage:
    """A version of a package, with the hash that `npm view NAME@VERSION dist.integrity` prints."""

    name: str
    version: str
    integrity: str

    def fetched(self, folder: Path) -> Path:
        """The package's archive in the folder. Raises NotFetched, and StackFailure if its hash is
        wrong."""
        npm = shutil.which("npm")
        if not npm:
            raise NotFetched(f"{self.name} needs npm, but this machine has none.")
        log = TOOLS / "log" / "npm-pack.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", f"{self.name}@{self.version}", *_TRIES]
        command += ["--pack-destination", str(folder)]
        try:
            run_command("npm pack", command, tool_environment(), log, _FETCH_SECONDS)
        except StackFailure:
            # The registry's answers may contain its host, so they are only logged.
            raise NotFetched(
                f"npm could not fetch {self.name}. Check that an npm registry is reachable. "
                f"The complete error is in {log}"
            ) from None
        (archive,) = folder.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != self.integrity:
            raise StackFailure(f"The hash of {self.name} {self.version} is not the expected one.")
        return archive
