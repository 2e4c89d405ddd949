"""Relay's functions in this process, and its two callers: the operations tool and Jira."""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from relay.entities.workspace_ids import WorkspaceIds, without_key
from relay.identity.api_keys import ApiKeys
from relay.secrets import Secrets
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.links import LinkStore
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Installation, Tenant
from tests.integration.replays_stage import let_delays_pass, let_time_pass, received, run_replays
from tests.integration.simulator_stage import Simulator
from tests.support.aws import Aws
from tests.support.gateway import Functions, Gateway, connections_closed, gateway
from tests.support.lambdas import BASE_URL, Answer, Context, sqs_event
from tests.support.lifecycle import Site
from tests.support.tokens import claims, signed_callback

LoadFunction = Callable[..., ModuleType]
_numbers = itertools.count(1)
JSON = {"content-type": "application/json"}


@dataclass
class Relay:
    """Routes every call as the template does, to the function of its route."""

    gateway: Gateway
    aws: Aws
    api_key: str
    tenants: TenantStore = field(init=False)
    links: LinkStore = field(init=False)

    def __post_init__(self) -> None:
        environment = self.aws.environment
        table, key = environment["TENANTS_TABLE"], environment["SECRETS_KEY"]
        self.tenants = TenantStore(self.aws.dynamodb, table, Secrets(self.aws.kms, key))
        self.links = LinkStore(self.aws.dynamodb, table)

    def call(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Bytes are sent unchanged, anything else as JSON."""
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer = self.gateway.answer(method, url, sent, headers or {})
        return Answer(answer["statusCode"], answer["headers"], answer.get("body") or "")

    def provider(self, method: str, url: str, body: Any = None, key: str = "") -> Answer:
        """A call of the operations tool, with its key for all workspaces or another key."""
        headers = {"authorization": f"Bearer {key or self.api_key}"} | JSON
        return self.call(method, url, body, headers)

    def jira(self, site: Site, method: str, url: str, body: Any = None) -> Answer:
        """A site's call, signed with the secret that it shares with Relay."""
        token = signed_callback(site.secret, claims(site.client_key, method, url))
        return self.call(method, url, body, {"authorization": f"JWT {token}"} | JSON)

    def key_for(self, *workspaces: str) -> str:
        keys = ApiKeys(self.aws.dynamodb, self.aws.environment["API_KEYS_TABLE"])
        return keys.issue(workspaces)

    def install(self, site: Site) -> Tenant:
        installation = Installation(site.client_key, site.base_url, site.secret)
        return self.tenants.install(installation, LifecycleToken(int(time.time()), uuid4().hex))

    def put_workspace(self, workspace: str, name: str = "") -> None:
        document = {
            "name": name or workspace.title(),
            "url": f"https://ops.example.com/{workspace}",
        }
        assert self.provider("PUT", f"/v1/workspaces/{workspace}", document).status == 200

    def submit(self, workspace: str, **entities: Any) -> list[str]:
        """Submit and deliver; every entity must be accepted. Returns the messages that return to
        the queue.
        """
        self.queue(workspace, **entities)
        return self.run_queue()

    def queue(self, workspace: str, **entities: Any) -> None:
        answer = self.provider("POST", f"/v1/workspaces/{workspace}/submissions", entities)
        assert answer.status == 202, answer.body
        assert answer.json()["rejected"] == 0, answer.body

    def run_queue(self) -> list[str]:
        """Let the submitter handle the queue; return the messages that return to it."""
        url = self.aws.environment["SUBMISSIONS_QUEUE"]
        returned: list[str] = []
        while found := self.aws.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            event = sqs_event(*(message["Body"] for message in found))
            failed = _failed(self.gateway.functions["submitter"].handler(event, Context()))
            for number, message in enumerate(found):
                if f"message-{number}" in failed:
                    returned.append(message["Body"])
                self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return returned

    def run_again(self, bodies: Iterable[str]) -> list[str]:
        """Let the submitter handle redelivered messages; return those that return again."""
        bodies = list(bodies)
        event = sqs_event(*bodies)
        failed = _failed(self.gateway.functions["submitter"].handler(event, Context()))
        return [body for number, body in enumerate(bodies) if f"message-{number}" in failed]

    def waiting(self) -> list[str]:
        """Receive and delete the messages in the queue, as if they were to arrive late."""
        url = self.aws.environment["SUBMISSIONS_QUEUE"]
        answer = self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        found = answer.get("Messages", [])
        for message in found:
            self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]

    def at_site(self, own_id: str, workspace: str = "payments") -> str:
        """The entity's id at the sites linked to this workspace."""
        link = self.links.of_workspace(workspace)[0]
        return link.ids.at_site(own_id)

    def let_delays_pass(self) -> int:
        """Make delayed messages available; return how many there were."""
        return let_delays_pass("SubmissionsQueue")

    def let_time_pass(self) -> None:
        let_time_pass(self.aws)

    def run_replays(self) -> int:
        """Let the replayer handle its queue until it is empty; return the number of steps."""
        return run_replays(self.aws, self.gateway.functions["replayer"])

    def sweep(self) -> None:
        """Run the sweeper as the schedule does, then the replays that it queued."""
        self.gateway.functions["sweeper"].handler({}, Context())
        self.run_replays()

    def dead_letters(self) -> list[dict[str, Any]]:
        """The dead letters, received and deleted."""
        return received(self.aws, self.aws.environment["SUBMISSIONS_DEAD_LETTERS"])

    def stored(self) -> str:
        """Every item of every table, as text."""
        tables = self.aws.dynamodb.list_tables()["TableNames"]
        pages = [self.aws.dynamodb.scan(TableName=table)["Items"] for table in tables]
        return str(pages)


def _failed(answer: Any) -> set[str]:
    return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}


@contextmanager
def relay_with(
    load: LoadFunction,
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    simulator: Simulator | None = None,
    **variables: str,
) -> Iterator[Relay]:
    """With a simulator, the functions are served over HTTP so that it can call them."""
    if simulator:
        variables = {"INSTALL_KEYS_URL": f"{simulator.url}/install-keys"} | variables
    functions = Functions(lambda name: load(name, **variables))
    monkeypatch.setattr("relay.table._BACKOFF_SECONDS", 0)
    with ExitStack() as stack:
        http = gateway(functions) if simulator else nullcontext(Gateway(BASE_URL, functions))
        served = stack.enter_context(http)
        stack.enter_context(connections_closed(monkeypatch))
        monkeypatch.setenv("BASE_URL", served.url)
        yield Relay(served, aws, api_key)


@dataclass(frozen=True)
class JiraSite:
    """A site of the simulator with Relay installed; `id` is Relay's id of it."""

    simulator: Simulator
    name: str
    id: str
    site: Site

    def held(self, kind: str) -> dict[str, Any]:
        """The site's incidents or reviews, by the operations tool's own ids, without the
        workspace's key (see `at_site`).
        """
        own = {}
        for site_id, entity in self.at_site(kind).items():
            ids = WorkspaceIds(site_id.partition(".")[0])
            own[without_key(site_id)] = ids.own_entity(entity)
        return own

    def at_site(self, kind: str) -> dict[str, Any]:
        """The same with the site's ids, as keys and in the entities."""
        path = f"/sites/{self.name}/entities?kind={kind}"
        entities = self.simulator.control("GET", path).json()["entities"]
        return {entity["id"]: entity for entity in entities}

    def products(self, kind: str) -> dict[str, str]:
        """The product that each incident or review was submitted with, by id."""
        path = f"/sites/{self.name}/entities?kind={kind}"
        found: dict[str, str] = self.simulator.control("GET", path).json()["products"]
        return {without_key(site_id): product for site_id, product in found.items()}

    def calls(self) -> list[tuple[str, str]]:
        """The (method, path) of each call to the site's REST API."""
        return [(call["method"], call["path"]) for call in self.simulator.calls(self.name)]


def new_name() -> str:
    """A name that no other site of the simulator has."""
    return f"site-{next(_numbers)}"


def install_from(relay: Relay, simulator: Simulator, name: str = "") -> JiraSite:
    """Install Relay as a new site's admin does: the simulator reads the descriptor and calls
    Relay.
    """
    name = name or new_name()
    simulator.create(name)
    return install_there(relay, simulator, name)


def install_there(relay: Relay, simulator: Simulator, name: str) -> JiraSite:
    """Install Relay at an existing site."""
    descriptor = {"descriptorUrl": f"{relay.gateway.url}/atlassian-connect.json"}
    answer = simulator.control("POST", f"/sites/{name}/install", descriptor)
    assert answer.status_code == 200, answer.text
    document = answer.json()["site"]
    tenant = relay.tenants.find_by_client_key(document["clientKey"])
    assert tenant
    site = Site(document["clientKey"], document["baseUrl"], document["sharedSecret"])
    return JiraSite(simulator, name, tenant.id, site)


# Starts Relay with these workspaces: `start(*workspaces, simulator=None, **variables)`.
Start = Callable[..., Relay]
# A new site with Relay, linked to these workspaces (by default `payments`).
Link = Callable[..., JiraSite]
