"""The peers that npm has, installed from the lock beside them."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from infra.bench.environments import NODE_CACHE
from infra.local.environment import tool_environment
from infra.local.failure import StackFailure
from infra.local.processes import run_command

_PEERS = Path(__file__).parent / "peers"
_FILES = ("package.json", "package-lock.json")
_FETCH_SECONDS = 300
_FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")


class NotHere(Exception):
    """The peers can't be run on this machine; the message says why."""


def installed(cache: Path = NODE_CACHE) -> tuple[str, Path]:
    """(node, the folder with `node_modules`); fetched where it is not there yet. Raises NotHere."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise NotHere("there is no Node.js with npm on this machine")
    digest = hashlib.sha256(b"".join((_PEERS / name).read_bytes() for name in _FILES))
    folder = cache / digest.hexdigest()[:16]
    if not folder.exists():
        _fetch(npm, folder)
    return node, folder


def _fetch(npm: str, folder: Path) -> None:
    """The folder is there as a whole, or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    log = folder.parent / "npm.log"
    try:
        for name in _FILES:
            shutil.copy(_PEERS / name, unfinished)
        command = [npm, *_FETCH, "--prefix", str(unfinished)]
        run_command("npm ci", command, tool_environment(), log, _FETCH_SECONDS)
        unfinished.rename(folder)
    except StackFailure:
        # The registry's answers may name its host, so they stay in the log.
        raise NotHere(f"npm could not fetch the packages; the whole error is in {log}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
