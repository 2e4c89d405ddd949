"""The embedded AWS: one MiniStack process, in memory, on loopback."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.local.environment import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY, bare_environment
from infra.local.paths import MINISTACK_PYTHON
from infra.local.ports import HOST
from infra.local.processes import Service, require, start_service

START_SECONDS = 30.0
LAUNCHER = Path(__file__).with_name("ministack_launcher.py")


@dataclass(frozen=True)
class EmbeddedAws:
    """A running MiniStack, and its URL."""

    service: Service
    endpoint: str


def start_ministack(
    port: int, folder: Path, enforce_iam: bool, keep_open: Sequence[int]
) -> EmbeddedAws:
    """Starts MiniStack and waits until it answers. It writes files only below `folder`.

    The process inherits the file descriptors in `keep_open`. Raises StackFailure.
    """
    require(MINISTACK_PYTHON)
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    environment = bare_environment(
        AUTH=str(enforce_iam).lower(),
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
        BIND_HOST=HOST,
        DOCKER_HOST="unix:///nowhere",
        GATEWAY_PORT=str(port),
        IOT_MTLS_ENABLED="0",
        LOG_LEVEL="WARNING",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_HOST=HOST,
        MINISTACK_REGION=REGION,
        SFTP_ENABLED="0",
        TMPDIR=str(scratch),
    )
    service = start_service(
        "MiniStack",
        [str(MINISTACK_PYTHON), "-P", str(LAUNCHER)],
        environment,
        folder / "ministack.log",
        keep_open,
    )
    endpoint = f"http://{HOST}:{port}"
    service.wait_until(lambda: _answers(f"{endpoint}/_ministack/health"), START_SECONDS)
    return EmbeddedAws(service, endpoint)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
