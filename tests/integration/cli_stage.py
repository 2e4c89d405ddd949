"""The `relay` command as a user runs it, in this process, against Relay's functions over HTTP."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from relay_cli.app import app
from tests.integration.relay_stage import JiraSite, Relay
from tests.support.aws import REGION, Aws
from tests.support.lambdas import Context, sqs_event


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error_code(self) -> str:
        return str(json.loads(self.err)["error"]["code"])

    @property
    def words(self) -> str:
        """The output with columns collapsed."""
        return " ".join(self.out.split())

    @property
    def rows(self) -> list[list[str]]:
        """A table's rows without its header."""
        return [line.split() for line in self.out.splitlines()[1:]]


@dataclass
class Cli:
    """Runs the command with this URL and key in the environment; the key must never be shown."""

    url: str
    key: str

    def __call__(self, *arguments: str, stdin: bytes = b"", code: int = 0, **env: str) -> Ran:
        environment = {"RELAY_URL": self.url, "RELAY_KEY": self.key} | env
        result = CliRunner().invoke(app, list(arguments), input=stdin, env=environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        ran = Ran(result.exit_code, result.stdout, result.stderr)
        for key in (self.key, env.get("RELAY_KEY")):
            assert not key or key not in ran.out + ran.err
        assert ran.code == code, f"{ran.code}: {ran.out}{ran.err}"
        return ran


@dataclass(frozen=True)
class Stage:
    """A Relay that one site has installed, and the command configured for it."""

    relay: Relay
    site: JiraSite
    cli: Cli

    def link(self, workspace: str = "operations") -> None:
        self.relay.put_workspace(workspace)
        self.cli("link", self.site.id, workspace)


def work(stage: Stage) -> None:
    """Let the replayer handle the messages in its queue, one at a time."""
    url = stage.relay.aws.environment["REPLAYS_QUEUE"]
    sqs = stage.relay.aws.sqs
    replayer = stage.relay.gateway.functions["replayer"]
    while found := sqs.receive_message(QueueUrl=url).get("Messages"):
        replayer.handler(sqs_event(found[0]["Body"]), Context())
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])


def queue_outputs(aws: Aws) -> dict[str, str]:
    """The stack's outputs for its queues, including those of the dead letters."""
    created = ("SubmissionsQueue", "ReplaysQueue", "NoticesQueue")
    dead = (f"{name.removesuffix('Queue')}DeadLetters" for name in created)
    return {name: aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in (*created, *dead)}


def table_outputs(aws: Aws) -> dict[str, str]:
    """The stack's outputs for its tables."""
    names = ("TENANTS_TABLE", "CATALOG_TABLE", "RECORD_TABLE", "API_KEYS_TABLE")
    return {name.title().replace("_", ""): aws.environment[name] for name in names}


def write_stack_file(**document: Any) -> Path:
    """Write the file that `make up` writes, into the command's folder."""
    file = Path.cwd() / ".relay" / "stack.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"aws": {"region": REGION}} | document))
    file.chmod(0o600)
    return file


@dataclass(frozen=True)
class Reply:
    """A response; with `named`, it has the header that all of Relay's responses have."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Sequence[tuple[str, str]] = ()
    named: bool = True


@dataclass
class Replies:
    """A server that is not Relay. It sends these replies in order and repeats the last, or by
    path.
    """

    url: str
    replies: list[Reply]
    by_path: dict[str, Reply] = field(default_factory=dict)
    date: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.calls.append((method, path))
        self.headers.append(headers)
        self.bodies.append(body)
        if self.by_path:
            return self.by_path[path.partition("?")[0]]
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def replying(*replies: Reply) -> Iterator[Replies]:
    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0 closes every connection, so none outlives its test.
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = server.take(self.command, self.path, dict(self.headers), sent)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.named:
                self.send_header("x-correlation-id", self.headers["x-correlation-id"])
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def date_time_string(self, timestamp: float | None = None) -> str:
            return server.date or super().date_time_string(timestamp)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = Replies(f"http://127.0.0.1:{http.server_address[1]}", list(replies))
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def empty_home(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Hide the machine's own configuration, and silence the functions' metrics."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    for name in (
        "RELAY_URL",
        "RELAY_KEY",
        "RELAY_CONFIG",
        "RELAY_WEBHOOK_SECRET",
        "RELAY_SOURCE_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(work)
    return home
