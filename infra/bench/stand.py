"""What the benchmarks run against, each part a process of its own: the tables, MiniStack for SQS
and KMS, the Jira simulator; and sites in it that have the app and workspaces linked to them."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx

from infra.bench.subject import run_subject
from infra.chaos.clock import Clock
from infra.chaos.fleet import Fleet
from infra.chaos.gateway import listening
from infra.chaos.relay_calls import Invoking
from infra.chaos.settings import Settings
from infra.chaos.stage import APP_KEY, Stage
from infra.chaos.world import Site, World
from infra.lambdas.stores import create_stores
from infra.local.embedded_aws import start_ministack
from infra.local.environment import REGION, aws_environment, bare_environment
from infra.local.jira_control import JiraControl
from infra.local.paths import ROOT
from infra.local.ports import HOST, free_port
from infra.local.processes import Service, start_service, stop_services
from infra.local.screen import Screen
from infra.local.simulator import start_simulator
from relay.identity.api_keys import ApiKeys

_START_SECONDS = 20.0
# As the template's defaults have them; the log is written as in production.
_SETTINGS = {
    "APP_KEY": APP_KEY,
    "AWS_LAMBDA_FUNCTION_NAME": "relay",
    "COMPONENTS_MODULE": "off",
    "CONFIRM_PERCENT": "0",
    "DOCUMENTATION_URL": "",
    "FORGE_APP_ID": "",
    "FORGE_ENVIRONMENTS": "PRODUCTION",
    "FORGE_KEYS_URL": "https://forge.example.com/jwks.json",
    "HOME_URL": "",
    "JIRA_IDENTITY": "connect",
    "PLAIN_IDS": "off",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "REGION": REGION,
    "REVIEW_ACTION": "on",
    "REVIEW_URL_TEMPLATE": "",
    "VENDOR_URL": "",
    "TEST_SITE_ORIGINS": "http://127.0.0.1:*",
    "TEST_WEBHOOK_ORIGINS": "https://127.0.0.1:*,https://localhost:*",
}


@dataclass(frozen=True)
class Place:
    """A site with the app, and the one workspace that is linked to it."""

    workspace_id: str
    site: Site
    base_url: str
    client_key: str
    secret: str

    @property
    def given(self) -> dict[str, str]:
        """What a subject gets of it."""
        return {
            "workspace_id": self.workspace_id,
            "site": self.site.id,
            "base_url": self.base_url,
            "client_key": self.client_key,
            "secret": self.secret,
        }


class Stand:
    """Made with the first benchmark that asks for it. `folder` goes at the end."""

    def __init__(self, stage: Stage, world: World, screen: Screen) -> None:
        self.stage = stage
        self.screen = screen
        self._world = world
        self._places = 0

    @cached_property
    def environment(self) -> dict[str, str]:
        """Of a subject: the functions' variables, and nothing of the user's AWS."""
        path = f"{ROOT / 'shared'}:{ROOT}"
        return bare_environment(**self.stage.environment, PYTHONPATH=path)

    def place(self, name: str) -> Place:
        """A new site `name-1`, `name-2`, …, and a new workspace of the same name."""
        self._places += 1
        name = f"{name}-{self._places}"
        self._world.put_workspace(name)
        site = self._world.create(name)
        self._world.link(site, name)
        document = self.stage.jira.site(name)
        return Place(
            name, site, document["baseUrl"], document["clientKey"], document["sharedSecret"]
        )

    def check_delivered(self, place: Place, count: int, sequence: int) -> None:
        """Raises where the site does not hold so many incidents, all in this state."""
        path = f"/sites/{place.site.name}/sequences"
        held = self.stage.jira.http.get(path).raise_for_status().json()["incident"]
        if len(held) != count or set(held.values()) != {sequence}:
            raise RuntimeError(f"{place.site.name} holds {len(held)} of {count} incidents.")

    def run(self, subject: str, **given: Any) -> Any:
        """What this subject measured, in a new process (see `infra.bench.subject`)."""
        log = self.stage.folder / "subject.log"
        return run_subject(subject, given, self.environment, log)


@contextmanager
def stand(screen: Screen) -> Iterator[Stand]:
    screen.say("Starting the tables, MiniStack and the Jira simulator …")
    with ExitStack() as ending:
        folder = Path(tempfile.mkdtemp(prefix="relay-bench-"))
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        services: list[Service] = []
        ending.callback(lambda: stop_services(services))
        tables = _start_tables(folder)
        services.append(tables.service)
        embedded = start_ministack(free_port(), folder, False, [])
        services.append(embedded.service)
        jira = start_simulator(free_port(), folder, [])
        services.append(jira.service)
        listener = ending.enter_context(listening())
        control = ending.enter_context(JiraControl(jira.url))
        control.set(visibleAfterSeconds=0)
        session = boto3.Session("test", "test", region_name=REGION)
        dynamodb = session.client("dynamodb", endpoint_url=tables.url)
        sqs = session.client("sqs", endpoint_url=embedded.endpoint)
        kms = session.client("kms", endpoint_url=embedded.endpoint)
        environment = aws_environment(embedded.endpoint) | create_stores(dynamodb, sqs, kms)
        environment |= {"AWS_ENDPOINT_URL_DYNAMODB": tables.url, **_SETTINGS}
        environment |= {"BASE_URL": listener.url, "INSTALL_KEYS_URL": f"{jira.url}/install-keys"}
        key = ApiKeys(dynamodb, environment["API_KEYS_TABLE"]).issue()
        stage = Stage(folder, listener, control, dynamodb, sqs, kms, key, environment)
        fleet = Fleet(1, environment, stage.log)
        ending.callback(fleet.close)
        invoking = Invoking(fleet, Clock(), Settings(seed=0), key)
        listener.handle = invoking.http
        yield Stand(stage, World(stage, invoking), screen)


@dataclass(frozen=True)
class _RunningTables:
    service: Service
    url: str


def _start_tables(folder: Path) -> _RunningTables:
    port = free_port()
    command = [sys.executable, "-m", "infra.bench.table_server", str(port)]
    environment = bare_environment(PYTHONPATH=f"{ROOT / 'shared'}:{ROOT}")
    service = start_service("The tables", command, environment, folder / "tables.log")
    url = f"http://{HOST}:{port}"
    service.wait_until(lambda: _answers(url), _START_SECONDS)
    return _RunningTables(service, url)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, trust_env=False).is_success
    except httpx.TransportError:
        return False
