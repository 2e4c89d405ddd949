"""A running Jira simulator, and an app that it can install."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relay.jira.canonical_request import query_string_hash

ROOT = Path(__file__).parents[2]
APP_KEY = "test-operations"
FORGE_APP_ID = "ari:cloud:ecosystem::app/8f1b0c52-6f0e-4d57-9a3e-2f6f0c9a7b11"
OPERATIONS = "/rest/operations/1.0"
COMPONENTS = "/rest/devopscomponents/1.0"


def component(id: str = "checkout-api", sequence: int = 1, **fields: Any) -> dict[str, Any]:  # noqa: A002
    """A DevOps component that Jira would accept."""
    return {
        "schemaVersion": "1.0",
        "id": id,
        "updateSequenceNumber": sequence,
        "name": "Checkout API",
        "description": "Takes **orders**.",
        "url": f"https://ops.example.com/services/{id}",
        "avatarUrl": "https://ops.example.com/service.png",
        "tier": "Tier 1",
        "componentType": "Service",
        "lastUpdated": "2026-01-30T08:00:00Z",
    } | fields


@dataclass(frozen=True)
class ReceivedCall:
    method: str
    path: str
    query: str
    token: str
    body: Any

    def claims(self, key: str, algorithm: str, audience: str | None = None) -> dict[str, Any]:
        """The verified claims; raises for an invalid token."""
        return jwt.decode(self.token, key, algorithms=[algorithm], audience=audience)

    def qsh(self, base_path: str) -> str:
        return query_string_hash(self.method, self.path, self.query, base_path)


@dataclass
class ProviderApp:
    """Plays the app: serves a descriptor, records Jira's calls, answers as configured."""

    url: str
    received: list[ReceivedCall] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def descriptor_url(self) -> str:
        return f"{self.url}/atlassian-connect.json"

    def descriptor(self) -> dict[str, Any]:
        module = {"key": "operations", "name": {"value": "Test"}, "homeUrl": self.url}
        actions = {
            "actions": {
                "fetchWorkspaces": {"templateUrl": "/workspaces?of={team}"},
                "searchContainers": {"templateUrl": f"{self.url}/containers"},
                "onEntityAssociated": {"templateUrl": "/associated"},
            },
        }
        return {
            "key": APP_KEY,
            "name": "Test operations",
            "baseUrl": self.url,
            "authentication": {"type": "jwt"},
            "scopes": ["READ", "WRITE", "DELETE"],
            "lifecycle": {
                event: f"/lifecycle/{event}"
                for event in ("installed", "uninstalled", "enabled", "disabled")
            },
            "modules": {
                "jiraOperationsInfoProvider": module | actions,
                "jiraDevOpsComponentProvider": module | {"key": "components"},
            },
        } | self.changes

    def named(self, event: str) -> list[ReceivedCall]:
        return [call for call in self.received if call.path.endswith(f"/{event}")]

    async def receive(self, request: Request) -> Response:
        if request.url.path.endswith("/atlassian-connect.json"):
            return JSONResponse(self.descriptor())
        raw = await request.body()
        self.received.append(
            ReceivedCall(
                method=request.method,
                path=request.scope["raw_path"].decode(),
                query=request.scope["query_string"].decode(),
                token=request.headers["authorization"].removeprefix("JWT "),
                body=json.loads(raw) if raw else None,
            )
        )
        event = request.url.path.rpartition("/")[2]
        return JSONResponse({"heard": event}, self.answers.get(event, 200))


@dataclass(frozen=True)
class RemoteCall:
    """`headers` have lower-case names."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any

    @property
    def token(self) -> str:
        scheme, _, token = self.headers["authorization"].partition(" ")
        assert scheme == "Bearer"
        return token

    @property
    def system_token(self) -> str:
        return self.headers["x-forge-oauth-system"]

    def claims(self, key_set: dict[str, Any]) -> dict[str, Any]:
        """The claims, verified as Forge requires; raises for an invalid token."""
        kid = jwt.get_unverified_header(self.token)["kid"]
        key = jwt.PyJWKSet.from_dict(key_set)[kid]
        return jwt.decode(
            self.token,
            key,
            algorithms=["RS256"],
            audience=FORGE_APP_ID,
            issuer="forge/invocation-token",
            options={"require": ["exp", "iat", "nbf", "jti"]},
        )


@dataclass
class ForgeRemote:
    """Plays a Forge app's remote: records Forge's calls, answers as configured.

    An answer is chosen by the last part of the path, and may be delayed.
    """

    url: str
    received: list[RemoteCall] = field(default_factory=list)
    answers: dict[str, Response] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def named(self, call: str) -> list[RemoteCall]:
        return [received for received in self.received if received.path.endswith(f"/{call}")]

    async def receive(self, request: Request) -> Response:
        raw = await request.body()
        self.received.append(
            RemoteCall(
                method=request.method,
                path=request.scope["raw_path"].decode(),
                query=request.scope["query_string"].decode(),
                headers=dict(request.headers),
                body=json.loads(raw) if raw else None,
            )
        )
        name = request.url.path.rpartition("/")[2]
        await asyncio.sleep(self.seconds.get(name, 0))
        return self.answers.get(name) or JSONResponse({"heard": name})


@dataclass(frozen=True)
class Simulator:
    url: str
    kid: str
    pem: str
    http: httpx.Client

    def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, f"{self.url}/_control{path}", json=body)

    def set(self, **settings: Any) -> None:
        self.control("PUT", "/settings", settings).raise_for_status()

    def fail(self, site: str, *faults: dict[str, Any], seed: int = 0) -> None:
        """Set exactly these faults of the site; they do not end by themselves."""
        body = {"seed": seed, "faults": faults}
        self.control("PUT", f"/sites/{site}/faults", body).raise_for_status()

    def site(self, name: str) -> dict[str, Any]:
        return dict(self.control("GET", f"/sites/{name}").raise_for_status().json())

    def create(self, name: str, **fields: Any) -> dict[str, Any]:
        body = {"name": name, **fields}
        return dict(self.control("POST", "/sites", body).raise_for_status().json())

    def install(self, name: str, app: ProviderApp, **fields: Any) -> httpx.Response:
        body = {"descriptorUrl": app.descriptor_url, **fields}
        return self.control("POST", f"/sites/{name}/install", body)

    def forge(self, site: str, call: str, /, **body: Any) -> httpx.Response:
        """`call` is the last part of a control call's path: install, tick, …"""
        return self.control("POST", f"/sites/{site}/forge/{call}", body)

    def forge_install(
        self, site: str, remote: ForgeRemote, connect: bool = False, **fields: Any
    ) -> httpx.Response:
        body = {"appId": FORGE_APP_ID, "remoteUrl": remote.url, "connect": connect, **fields}
        return self.forge(site, "install", **body)

    def forge_key_set(self) -> dict[str, Any]:
        url = f"{self.url}/forge/.well-known/jwks.json"
        return dict(self.http.get(url).raise_for_status().json())

    def switch(self, site: str, **switches: Any) -> None:
        self.control("PUT", f"/sites/{site}/credentials", switches).raise_for_status()

    def calls(self, site: str) -> list[dict[str, Any]]:
        calls = self.control("GET", "/calls").json()["calls"]
        return [call for call in calls if call["site"] == site]


@dataclass
class JiraSite:
    """One site as an installed app sees it; every call has its own token."""

    simulator: Simulator
    document: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.document["name"])

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """`path` is relative to the API's; `claims` and `sign` override the token."""
        change = options.pop("claims", {})
        sign: Callable[[dict[str, Any]], str] = options.pop("sign", self.sign)
        headers = options.pop("headers", None)
        url = f"{self.document['baseUrl']}{options.pop('api', OPERATIONS)}{path}"
        request = self.simulator.http.build_request(method, url, **options)
        claims = self.claims(request) | change
        token = sign({name: value for name, value in claims.items() if value is not None})
        request.headers.update({"Authorization": f"JWT {token}"} if headers is None else headers)
        return self.simulator.http.send(request)

    def bearer_call(self, token: str, method: str, path: str, **options: Any) -> httpx.Response:
        """The same with Forge's URL and a system token; `path` is relative to the API's."""
        url = f"{self.document['apiBaseUrl']}{options.pop('api', OPERATIONS)}{path}"
        headers = {"Authorization": f"Bearer {token}"}
        return self.simulator.http.request(method, url, headers=headers, **options)

    def submit(self, *incidents: dict[str, Any], **more: Any) -> httpx.Response:
        body = ({"incidents": incidents} if incidents else {}) | more
        return self.call("POST", "/bulk", json=body)

    def submit_components(self, *components: dict[str, Any], **more: Any) -> httpx.Response:
        body = {"devopsComponents": components} | more
        return self.call("POST", "/bulk", api=COMPONENTS, json=body)

    def claims(self, request: httpx.Request) -> dict[str, Any]:
        now = int(time.time())
        path, _, query = request.url.raw_path.decode().partition("?")
        base_path = urlsplit(self.document["baseUrl"]).path
        qsh = query_string_hash(request.method, path, query, base_path)
        return {"iss": APP_KEY, "iat": now, "exp": now + 180, "qsh": qsh}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.document["sharedSecret"], algorithm="HS256")

    def refresh(self) -> dict[str, Any]:
        self.document = self.simulator.site(self.name)
        return self.document

    def entities(self, kind: str) -> dict[str, Any]:
        return dict(
            self.simulator.control("GET", f"/sites/{self.name}/entities?kind={kind}").json()
        )

    def page(self, **query: Any) -> httpx.Response:
        return self.simulator.http.get(self.document["baseUrl"], params=query)


@contextmanager
def running_simulator(folder: Path, *options: str) -> Iterator[Simulator]:
    """A simulator in its own process on a free port; it must end with status 0 when stopped."""
    ready_file = folder / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.jira_simulator", "--ready-file", str(ready_file), *options],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        ready = json.loads(ready_file.read_text())
        assert line == f"Jira simulator: {ready['url']}\n"
        assert ready_file.stat().st_mode & 0o777 == 0o600
        with httpx.Client(timeout=10, trust_env=False) as http:
            yield Simulator(ready["url"], ready["kid"], ready["pem"], http)
    finally:
        process.terminate()
        process.communicate(timeout=5)
    assert process.returncode == 0
    assert not ready_file.exists()


@contextmanager
def running_app(base_path: str = "/app") -> Iterator[ProviderApp]:
    """The app in a thread; its base URL has a path, like the simulator's."""
    with _listening() as listener:
        app = ProviderApp(f"{_url(listener)}{base_path}")
        with _serving(listener, base_path, app.receive):
            yield app


@contextmanager
def running_remote(base_path: str = "/remote") -> Iterator[ForgeRemote]:
    """A Forge app's remote in a thread."""
    with _listening() as listener:
        remote = ForgeRemote(f"{_url(listener)}{base_path}")
        with _serving(listener, base_path, remote.receive):
            yield remote


@contextmanager
def _listening() -> Iterator[socket.socket]:
    # asyncio disables Nagle's delay only for a socket that is named TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        # A call may come before the server's thread accepts: from here on, it waits.
        listener.listen()
        yield listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def _serving(
    listener: socket.socket, base_path: str, receive: Callable[[Request], Awaitable[Response]]
) -> Iterator[None]:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes = [Route(f"{base_path}/{{rest:path}}", receive, methods=methods)]
    config = uvicorn.Config(
        Starlette(routes=routes), lifespan="off", ws="none", log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
