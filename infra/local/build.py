"""`sam build` of the real template for the local stack, cached by its sources.

The functions run on MiniStack's Python, so the layer is built for that Python and this machine.
"""

import fcntl
import hashlib
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.environment import REGION, tool_environment
from infra.local.paths import BUILDS, MINISTACK_PYTHON, ROOT, SAM, UV
from infra.local.processes import require, run_command

BUILD_SECONDS = 180.0
SOURCES = ("template.yaml", "samconfig.toml", "atlassian-connect.json", "functions", "shared")

PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
LAYER = {"arm64": "Arm64Layer", "x86_64": "X86Layer"}[ARCHITECTURE]


def built_app() -> Path:
    """The folder with the build of the current sources; builds it if there is none.

    Stacks that start at the same time share one build, so it is read-only. Raises StackFailure.
    """
    require(SAM)
    BUILDS.mkdir(parents=True, exist_ok=True)
    folder = BUILDS / fingerprint()
    with only_one():
        if not folder.exists():
            _forget_others(folder)
            _build(folder)
    return folder


def fingerprint() -> str:
    """A hash of the sources, the Python and the platform: 16 hex digits."""
    digest = hashlib.sha256(f"{sys.version} {platform.platform()}".encode())
    for path in sorted(_source_files()):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _source_files() -> Iterator[Path]:
    for source in SOURCES:
        path = ROOT / source
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (file for file in files if file.is_file() and file.parent.name != "__pycache__")


def _build(folder: Path) -> None:
    unfinished = folder.with_suffix(".unfinished")
    environment = tool_environment(
        AWS_DEFAULT_REGION=REGION,
        RELAY_PYTHON=str(MINISTACK_PYTHON),
        RELAY_PLATFORM="",
        RELAY_PYTHON_VERSIONS=PYTHON_VERSION,
        UV=str(UV),
    )
    command = [str(SAM), "build", "--build-dir", str(unfinished)]
    run_command("sam build", command, environment, BUILDS / "build.log", BUILD_SECONDS)
    unfinished.rename(folder)


def _forget_others(folder: Path) -> None:
    """Removes old builds except the newest, which a starting stack may still be reading."""
    builds = [path for path in BUILDS.iterdir() if path.is_dir() and path != folder]
    builds.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in builds[1:]:
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def only_one() -> Iterator[None]:
    """Waits for other processes' builds, and holds the lock until the block ends."""
    with (BUILDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
