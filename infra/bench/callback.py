"""`make bench-callback`: the speed of verifying and answering a call of Jira, in one process."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

from infra.bench.peer import PEERS, PYTHON, node_command, peer, write_app
from infra.bench.result import Result, Table, at_least, figure, ratio
from infra.bench.signing import signed
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import by_turns, spent
from infra.lambdas.runtime import Context, http_event, load
from infra.local.failure import StackFailure
from relay.catalog.workspaces import Workspace
from relay.identity.caller import Request
from relay.identity.connect_token import verified_claims

ACTION = "Relay: the action's function, from event to answer"
ASKING = "Relay: the same, reading the workspaces from the tables"
VERIFY = "Relay: token and qsh alone"
EXPRESS = "atlassian-connect-express, from request to answer"
NPM = "npm atlassian-jwt: token and qsh alone"
PYPI = "PyPI atlassian-jwt: token and qsh alone"
WAYS = (ACTION, ASKING, EXPRESS, VERIFY, NPM, PYPI)
_PATH = "/workspaces/fetch"

# Calls per second, by way and round.
Speeds = dict[str, list[float]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Compares with Atlassian's framework and libraries; those of npm are optional."""
    place = stand.place("callback")
    node, missing = list[str](), ""
    try:
        stand.screen.say("callback: the packages of npm …")
        node = node_command("callback.cjs")
    except StackFailure as error:
        missing = str(error)
    stand.screen.say(f"callback: {sizes.rounds} rounds of {sizes.callbacks} signed calls …")
    count, rounds = sizes.callbacks, sizes.rounds
    found = stand.run("callback:measure", place=place, node=node, count=count, rounds=rounds)
    return _result(found, missing)


def measure(place: dict[str, str], node: list[str], count: int, rounds: int) -> Speeds:
    """Calls per second, in a new process; without `node`, npm's peers are skipped."""
    answer_from_memory()
    function, asking = load("fetch_workspaces"), load("fetch_workspaces")
    workspace = {"id": place["workspace_id"], "name": "Bench", "url": "https://ops.example.com"}
    function.catalog = InMemoryCatalog(Workspace(**workspace))  # type: ignore[attr-defined]
    calls = list(_calls(place, count))
    events = [http_event(one["method"], one["url"], one["body"], one["headers"]) for one in calls]
    requests = [_request(one) for one in calls]

    def act(through: ModuleType) -> None:
        for event in events:
            answer = through.handler(event, Context())
            if answer["statusCode"] != 200:
                raise RuntimeError(f"An action was answered {answer['statusCode']}.")

    def verify() -> None:
        for request in requests:
            token = request.headers["authorization"].removeprefix("JWT ")
            verified_claims(token, place["secret"], "HS256", request)

    def speed(run: Callable[[], Any], _: int) -> float:
        return count / float(run()["wall"])

    ways = {
        ACTION: partial(speed, partial(spent, partial(act, function))),
        ASKING: partial(speed, partial(spent, partial(act, asking))),
        VERIFY: partial(speed, partial(spent, verify)),
    }
    setting = {
        "secret": place["secret"],
        "clientKey": place["client_key"],
        "workspaces": [workspace],
        "requests": calls,
    }
    with ExitStack() as peers:
        python = peers.enter_context(peer([str(PYTHON), "-P", str(PEERS / "callback.py")]))
        python.ask(**setting)
        ways[PYPI] = partial(speed, python.ask)
        if node:
            folder = peers.enter_context(tempfile.TemporaryDirectory(prefix="relay-bench-"))
            write_app(Path(folder))
            framework = peers.enter_context(peer(node, folder))
            framework.ask(**setting)
            ways[EXPRESS] = partial(speed, partial(framework.ask, way="express"))
            ways[NPM] = partial(speed, partial(framework.ask, way="jwt"))
        # Node compiles hot code only after some calls.
        return by_turns(ways, rounds, warm_up=2)


@dataclass(frozen=True)
class InMemoryCatalog:
    """Replaces the site's catalog, because the peer also has its workspaces in memory."""

    workspace: Workspace

    def workspaces(self, _: str, ids: Sequence[str]) -> list[Workspace]:
        """The workspace, if its id is among these."""
        return [self.workspace] if self.workspace.id in ids else []


def _calls(place: dict[str, str], count: int) -> Iterator[dict[str, Any]]:
    """Jira's calls of fetchWorkspaces, each with its own token."""
    body = json.dumps({"ids": [place["workspace_id"]]})
    for turn in range(count):
        yield signed(place, "POST", _PATH, f"call={turn}&site={place['site']}", body)


def _request(one: dict[str, Any]) -> Request:
    path, _, query = one["url"].partition("?")
    return Request(one["method"], path, query, one["headers"], "", one["body"].encode())


@dataclass(frozen=True)
class Remembered:
    """The bytes of an answer, as botocore reads them from a connection."""

    body: bytes

    def stream(self) -> Iterator[bytes]:
        """All of them at once."""
        yield self.body


def answer_from_memory() -> None:
    """Sends each request to AWS once and reuses the bytes of its answer afterwards.

    botocore still prepares and signs every request and reads every answer, so the time includes
    all of Relay's work but the socket.
    """
    boto3.setup_default_session()
    http = URLLib3Session()
    known: dict[Any, bytes] = {}

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked = (request.headers.get("X-Amz-Target", ""), request.body)
        if asked not in known:
            known[asked] = http.send(request).content
        return AWSResponse(request.url, 200, HTTPHeaders(), Remembered(known[asked]))

    events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register("before-send", answer)


def _result(found: Speeds, missing: str) -> Result:
    speedup = {
        other: ratio(found[way], found[other])
        for way, other in ((ACTION, EXPRESS), (VERIFY, NPM), (VERIFY, PYPI))
        if other in found
    }
    rows = [
        [way, str(figure(found[way])), speedup[way].times if way in speedup else ""]
        if way in found
        else [way, f"not measured: {missing}", ""]
        for way in WAYS
    ]
    return Result(
        [Table("", ("way", "calls/s", "Relay is faster"), rows)],
        [
            at_least("the function, to the whole framework", speedup.get(EXPRESS), 1),
            at_least("token and qsh, to npm's", speedup.get(NPM), 0.5),
            at_least("token and qsh, to PyPI's", speedup.get(PYPI), 1),
        ],
    )
