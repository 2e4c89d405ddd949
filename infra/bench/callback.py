"""`make bench-callback`: how fast a call of Jira is proven and answered, in one process."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3

from infra.bench.environments import PYTHON
from infra.bench.figures import figure, ratio
from infra.bench.node_peers import NotHere, installed
from infra.bench.peer import Peer, peer
from infra.bench.result import Bars, Result, Table, Target, at_least, bar, in_times, number, spread
from infra.bench.rounds import spent
from infra.bench.signing import signed
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, http_event, load
from infra.local.paths import ROOT
from relay.catalog.workspaces import Workspace
from relay.identity.caller import Request
from relay.identity.connect_token import verified_claims

ACTION = "Relay: the action's function, from event to answer"
ASKING = "Relay: the same, asking the tables for the workspaces"
VERIFY = "Relay: token and qsh alone"
EXPRESS = "atlassian-connect-express, from request to answer"
NPM = "npm atlassian-jwt: token and qsh alone"
PYPI = "PyPI atlassian-jwt: token and qsh alone"

_PATH = "/workspaces/fetch"
_PEERS = "infra/bench/peers"

Speeds = dict[str, list[float]]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    place = stand.place("callback")
    missing, node, packages = "", "", ""
    try:
        stand.screen.say("callback: the packages of npm …")
        node, folder = installed()
        packages = str(folder)
    except NotHere as error:
        missing = str(error)
    stand.screen.say(f"callback: {sizes.rounds} rounds of {sizes.callbacks} signed calls …")
    found = stand.run(
        "infra.bench.callback:measure",
        place=place.given,
        node=node,
        packages=packages,
        count=sizes.callbacks,
        rounds=sizes.rounds,
    )
    return _result(found, sizes, missing)


def measure(place: dict[str, str], node: str, packages: str, count: int, rounds: int) -> Speeds:
    """Calls per second of each way, by round; run as a subject."""
    answered_from_memory()
    function, asking = load("fetch_workspaces"), load("fetch_workspaces")
    function.catalog = AtHand(  # type: ignore[attr-defined]
        Workspace(id=place["workspace_id"], name="Bench", url="https://ops.example.com")
    )
    workspaces = [{"id": place["workspace_id"], "name": "Bench", "url": "https://ops.example.com"}]
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

    ways: dict[str, Callable[[], float]] = {
        ACTION: lambda: spent(partial(act, function)).wall,
        ASKING: lambda: spent(partial(act, asking)).wall,
        VERIFY: lambda: spent(verify).wall,
    }
    setting = {
        "secret": place["secret"],
        "clientKey": place["client_key"],
        "workspaces": workspaces,
        "requests": calls,
    }
    with ExitStack() as peers:
        python = peers.enter_context(peer([str(PYTHON), "-P", f"{_PEERS}/callback.py"]))
        python.ask(**setting)
        ways[PYPI] = lambda: float(python.ask()["wall"])
        if node:
            framework = peers.enter_context(_node(node, packages))
            framework.ask(**setting)
            ways[EXPRESS] = lambda: float(framework.ask(way="express")["wall"])
            ways[NPM] = lambda: float(framework.ask(way="jwt")["wall"])
        return _by_turns(ways, count, rounds)


@dataclass(frozen=True)
class AtHand:
    """In place of the site's catalog, as the peer has it, too: what is compared is the rest."""

    workspace: Workspace

    def workspaces(self, _: str, ids: Sequence[str]) -> list[Workspace]:
        return [self.workspace] if self.workspace.id in ids else []


def _by_turns(ways: dict[str, Callable[[], float]], count: int, rounds: int) -> Speeds:
    found: Speeds = {way: [] for way in ways}
    # Node compiles what runs often only after a while.
    for round_ in range(-2, rounds):
        for way, run in ways.items():
            seconds = run()
            if round_ >= 0:
                found[way].append(count / seconds)
    return found


@contextmanager
def _node(node: str, packages: str) -> Iterator[Peer]:
    """In a folder with a descriptor of the app, as the framework wants it."""
    folder = Path(tempfile.mkdtemp(prefix="relay-bench-"))
    try:
        descriptor = json.loads((ROOT / "atlassian-connect.json").read_text("utf-8"))
        descriptor |= {"baseUrl": "https://relay.example.com", "key": "relay-operations"}
        (folder / "atlassian-connect.json").write_text(json.dumps(descriptor))
        (folder / "config.json").write_text("{}")
        script = str(ROOT / _PEERS / "callback.cjs")
        with peer([node, script, packages], str(folder)) as running:
            yield running
    finally:
        shutil.rmtree(folder)


def _calls(place: dict[str, str], count: int) -> Iterator[dict[str, Any]]:
    """Calls of fetchWorkspaces as Jira makes them, each with a token of its own."""
    body = json.dumps({"ids": [place["workspace_id"]]})
    for turn in range(count):
        yield signed(place, "POST", _PATH, f"call={turn}&site={place['site']}", body)


def _request(one: dict[str, Any]) -> Request:
    path, _, query = one["url"].partition("?")
    return Request(one["method"], path, query, one["headers"], "", one["body"].encode())


def answered_from_memory() -> None:
    """What AWS has answered once, it has answered: botocore hands a request that it has made ready
    to this instead of sending it. The work of making the request stays in what is measured."""
    boto3.setup_default_session()
    events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    known: dict[tuple[str, bytes], Any] = {}

    def recall(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
        context["request"] = (model.name, params["body"])
        parsed = known.get(context["request"])
        return (SimpleNamespace(status_code=200), parsed) if parsed else None

    def remember(parsed: Any, context: dict[str, Any], **_: Any) -> None:
        known[context["request"]] = parsed

    events.register("before-call", recall)
    events.register("after-call", remember)


def _result(found: Speeds, sizes: Sizes, missing: str) -> Result:
    ways = (ACTION, ASKING, EXPRESS, VERIFY, NPM, PYPI)
    times = {
        other: ratio(found[ours], found[other])
        for ours, other in ((ACTION, EXPRESS), (VERIFY, NPM), (VERIFY, PYPI))
        if other in found
    }
    rows = [
        [way, spread(figure(found[way])), in_times(times[way]) if way in times else ""]
        if way in found
        else [way, f"not measured: {missing}", ""]
        for way in ways
    ]
    targets: list[Target] = [
        at_least("the function, to the whole framework", times.get(EXPRESS), 1),
        at_least("token and qsh, to npm's", times.get(NPM), 0.5),
        at_least("token and qsh, to PyPI's", times.get(PYPI), 1),
    ]
    return Result(
        "callback",
        "Calls of Jira",
        f"{number(sizes.callbacks)} signed calls of fetchWorkspaces, the same for all, one after"
        " the other in one process each. The whole ways parse, prove the token and its qsh, find"
        " the site, look up the workspace and write the answer; no way has a socket. Express has"
        " the site and the workspaces at hand. Relay's function has the workspaces at hand, and"
        " asks DynamoDB for the site at every call, so that one that has uninstalled the app is"
        " shut out at once; what it asks is made ready, and the answers come from memory.",
        [Table("", ("way", "calls/s", "Relay is faster"), rows)],
        targets,
        [
            Bars(
                "callback",
                "Verified calls per second",
                "calls/s",
                [
                    bar(way, figure(found[way]), way in (ACTION, ASKING, VERIFY))
                    for way in ways
                    if way in found
                ],
            )
        ],
    )
