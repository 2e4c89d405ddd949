"""Calls to Jira over HTTP: how they are signed, and the result of every kind of answer."""

import gzip
import itertools
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from atlassian_jwt.url_utils import hash_url  # type: ignore[import-untyped]

from relay.entities.model import Kind
from relay.jira import credentials
from relay.jira.client import JiraClient, http_client
from relay.jira.credentials import ConnectCredential
from relay.jira.errors import (
    AccessRefused,
    CredentialRefused,
    JiraAnswered,
    JiraUnreachable,
    NothingThere,
    RateLimited,
    RequestRefused,
    RequestTooLarge,
    SiteDown,
    SiteMoved,
    Unreadable,
)

APP_KEY = "relay-operations"
CLIENT_KEY = "6f4d2f9c-0f4e-3b6e-9e3a-000000000001"
SECRET = "ATCO-a-secret-of-a-site-that-only-it-and-relay-know"
# A site may have a path, like the simulator's sites.
BASE_PATH = "/sites/acme"
ROOT = "/rest/operations/1.0"


@dataclass(frozen=True)
class Call:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path on the wire, below the site's own path."""
        path = self.target.partition("?")[0]
        return path.removeprefix(BASE_PATH + ROOT)

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def token(self) -> str:
        scheme, _, token = self.headers["authorization"].partition(" ")
        assert scheme == "JWT"
        return token

    def claims(self) -> dict[str, Any]:
        """The claims, with signature, audience and times verified as Jira does."""
        claims: dict[str, Any] = jwt.decode(
            self.token, SECRET, algorithms=["HS256"], audience=CLIENT_KEY, issuer=APP_KEY
        )
        return claims


@dataclass(frozen=True)
class Reply:
    """`trouble` replaces the answer or interrupts it."""

    status: int = 202
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    trouble: str = ""


@dataclass
class Server:
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def answers(self, *replies: Reply | tuple[int, Any]) -> None:
        """Send these answers in order; after them, the shortest success that Jira documents."""
        self.replies = [
            reply if isinstance(reply, Reply) else Reply(reply[0], json.dumps(reply[1]).encode())
            for reply in replies
        ]


def documented(method: str, target: str) -> Reply:
    """The shortest success that Jira documents for this call."""
    path = target.partition("?")[0].removeprefix(BASE_PATH)
    if method == "DELETE":
        return Reply()
    if path == f"{ROOT}/linkedWorkspaces/bulk":
        return Reply(body=b'{"acceptedWorkspaceIds": []}')
    if path.endswith("/bulk"):
        return Reply(body=b'{"acceptedIncidents": []}')
    if path == f"{ROOT}/linkedWorkspaces":
        return Reply(200, b'{"workspaceIds": ["w~1"]}')
    if "/properties/" in path:
        return Reply(200, b'{"key": "k", "value": "v"}')
    return Reply(200, b'{"id": "i", "updateSequenceNumber": 1}')


@pytest.fixture
def server() -> Iterator[Server]:
    this = Server()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            this.calls.append(Call(self.command, self.path, headers, body))
            reply = this.replies.pop(0) if this.replies else documented(self.command, self.path)
            match reply.trouble:
                case "silence":
                    this.closing.wait()
                    return
                case "reset":
                    at_once = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                    self.connection.close()
                    return
                case "end":
                    return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            cut = 10 if reply.trouble == "cut off" else 0
            self.send_header("Content-Length", str(len(reply.body) + cut))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_DELETE = reply

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.handle_error = lambda *_: None  # type: ignore[method-assign]
        this.url = f"http://127.0.0.1:{http.server_address[1]}{BASE_PATH}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield this
        finally:
            this.closing.set()
            http.shutdown()
            thread.join()


@pytest.fixture
def jira(server: Server) -> Iterator[JiraClient]:
    with http_client(2) as http:
        yield JiraClient(
            http, server.url, ConnectCredential(APP_KEY, CLIENT_KEY, server.url, SECRET)
        )


Operation = Callable[[JiraClient], object]
OPERATIONS: dict[str, Operation] = {
    "submit entities": lambda jira: jira.submit_entities(b'{"incidents":[]}'),
    "get an incident": lambda jira: jira.entity(Kind.INCIDENT, "a/b c?d=é&e"),
    "get a review": lambda jira: jira.entity(Kind.REVIEW, "rev-1"),
    "delete an incident": lambda jira: jira.delete_entity(Kind.INCIDENT, "%2F+&"),
    "delete a review": lambda jira: jira.delete_entity(Kind.REVIEW, "🔥"),
    "delete by properties": lambda jira: jira.delete_by_properties({"b": "x y&z", "a": "é,+"}),
    "submit workspaces": lambda jira: jira.submit_workspaces(["w-1"]),
    "get workspaces": lambda jira: jira.workspaces(),
    "get a workspace": lambda jira: jira.has_workspace("w~1"),
    "submit components": lambda jira: jira.submit_components([{"id": "checkout"}], {"a": "b"}),
    "delete a component": lambda jira: jira.delete_component("a/b"),
    "get a property": lambda jira: jira.app_property("relay-operations", "any"),
    "delete workspaces": lambda jira: jira.delete_workspaces(["w-1", "w.2"]),
}
each_operation = pytest.mark.parametrize("call", OPERATIONS.values(), ids=OPERATIONS)


# --- Signatures ---


@each_operation
def test_every_call_carries_a_token_that_jira_accepts(
    jira: JiraClient, server: Server, call: Operation
) -> None:
    call(jira)

    (sent,) = server.calls
    claims = sent.claims()
    assert claims["aud"] == [CLIENT_KEY]
    assert 0 < claims["exp"] - claims["iat"] <= 180
    assert abs(claims["iat"] - time.time()) < 10
    # Atlassian's own reading of the rule; the site's own path is not signed.
    assert claims["qsh"] == hash_url(sent.method, sent.target.removeprefix(BASE_PATH))


def test_each_request_has_its_own_token(
    jira: JiraClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(int(time.time()) - 5)
    monkeypatch.setattr(credentials, "time", SimpleNamespace(time=lambda: next(ticks)))

    for _ in range(2):
        jira.submit_entities(b"{}")
    jira.submit_workspaces([f"w-{number}" for number in range(150)])

    assert len({call.token for call in server.calls}) == len(server.calls) == 4


def test_a_secret_is_in_no_representation_and_no_log(
    jira: JiraClient, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credential = ConnectCredential(APP_KEY, CLIENT_KEY, server.url, SECRET)
    accepted = {"acceptedIncidents": ["i"]}
    server.answers((202, accepted), (401, [{"message": "no"}]), Reply(trouble="reset"))

    jira.submit_entities(b'{"incidents":[{"summary":"Xq7-of-a-customer"}]}')
    with pytest.raises(CredentialRefused) as refused:
        jira.submit_entities(b"{}")
    with pytest.raises(JiraUnreachable) as unreachable:
        jira.submit_entities(b"{}")

    text = "".join(map(repr, (jira, credential, refused.value, unreachable.value)))
    text += str(refused.value) + str(unreachable.value) + caplog.text
    assert "httpx" in caplog.text
    assert SECRET not in text
    assert "Xq7-of-a-customer" not in text
    assert all(call.token not in text for call in server.calls)


# --- Requests ---


def test_entities_are_sent_unchanged(jira: JiraClient, server: Server) -> None:
    body = '{"incidents":[{"summary":"Zürich 🔥"}]}'.encode()
    server.answers((202, {"acceptedIncidents": ["i"], "unknownProjectKeys": ["GONE"]}))

    answer = jira.submit_entities(body)

    (sent,) = server.calls
    assert (sent.method, sent.path, sent.body) == ("POST", "/bulk", body)
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept"] == "application/json"
    assert answer.accepted == {"i"}
    assert answer.unknown_project_keys == ("GONE",)


@pytest.mark.parametrize(
    "entity_id",
    ["inc-1", "a/b", "..", ".", "../bulk", "a b?c#d", "%2F", "🔥" * 255, "\x00", "a;b="],
)
def test_an_id_is_one_path_segment_whatever_it_holds(
    jira: JiraClient, server: Server, entity_id: str
) -> None:
    jira.delete_entity(Kind.INCIDENT, entity_id)
    jira.entity(Kind.REVIEW, entity_id)

    deleted, read = server.calls
    assert (deleted.method, read.method) == ("DELETE", "GET")
    assert deleted.path.startswith("/incidents/")
    assert read.path.startswith("/post-incident-reviews/")
    for call in server.calls:
        segment = call.path.rpartition("/")[2]
        assert call.path.count("/") == 2
        assert unquote(segment) == entity_id
        assert call.claims()["qsh"] == hash_url(call.method, call.target.removeprefix(BASE_PATH))


def test_workspaces_are_linked_in_batches_of_a_hundred(jira: JiraClient, server: Server) -> None:
    ids = [f"w-{number}" for number in range(250)]
    server.answers(
        *((202, {"acceptedWorkspaceIds": ids[start : start + 100]}) for start in (0, 100, 200))
    )

    assert jira.submit_workspaces(ids) == ids

    sent = [json.loads(call.body) for call in server.calls]
    assert [set(body) for body in sent] == [{"workspaceIds"}] * 3
    assert [len(body["workspaceIds"]) for body in sent] == [100, 100, 50]
    assert [found for body in sent for found in body["workspaceIds"]] == ids


def test_workspaces_are_unlinked_in_batches_of_a_hundred(jira: JiraClient, server: Server) -> None:
    ids = [f"w-{number}" for number in range(101)]

    jira.delete_workspaces(ids)

    sent = [call.query["workspaceIds"] for call in server.calls]
    assert sent == [[",".join(ids[:100])], ["w-100"]]
    assert {(call.method, call.path) for call in server.calls} == {
        ("DELETE", "/linkedWorkspaces/bulk")
    }


def test_without_workspaces_jira_is_not_called(jira: JiraClient, server: Server) -> None:
    jira.submit_workspaces([])
    jira.delete_workspaces([])

    assert server.calls == []


def test_properties_form_the_query_and_at_least_one_is_required(
    jira: JiraClient, server: Server
) -> None:
    jira.delete_by_properties({"team": "a&b=c,é", "empty": ""})
    with pytest.raises(ValueError, match="one property"):
        jira.delete_by_properties({})

    (sent,) = server.calls
    assert (sent.method, sent.path) == ("DELETE", "/bulkByProperties")
    assert sent.query == {"team": ["a&b=c,é"], "empty": [""]}


# --- Input ---


def test_a_missing_entity_is_distinguished_from_an_existing_one(
    jira: JiraClient, server: Server
) -> None:
    gone = (404, [{"message": "no data"}])
    incident = {"id": "i", "updateSequenceNumber": 3}
    server.answers((200, incident), gone, (200, {"workspaceIds": ["w"]}), gone)
    assert jira.entity(Kind.INCIDENT, "i") == incident
    assert jira.entity(Kind.INCIDENT, "i") is None
    assert jira.workspaces() == ["w"]
    assert jira.workspaces() == []

    server.answers((200, {"workspaceIds": ["w"]}), (200, {"workspaceIds": ["v"]}), gone)
    assert jira.has_workspace("w")
    assert not jira.has_workspace("w")
    assert not jira.has_workspace("w")
    assert server.calls[-1].query == {"workspaceId": ["w"]}


# --- Was this Jira? ---

PAGE = b"<!doctype html>\n<html><head><title>Log in &amp; go on</title></head></html>"
HTML = (("Content-Type", "text/html; charset=utf-8"),)
JSON = (("Content-Type", "application/json"),)
# No operation documents this as its success.
NOT_JIRAS = (
    Reply(200, PAGE, HTML),
    Reply(202, PAGE, JSON),
    Reply(202, b"\xef\xbb\xbf \r\n" + PAGE),
    Reply(202, b"", HTML),
    Reply(201),
    Reply(204),
    Reply(202, b"OK"),
    Reply(202, b"[]"),
    Reply(202, b"[" * 100_000),
    Reply(202, b'"' + b"x" * 1_000_000),
    Reply(200, b'{"status": "maintenance"}'),
    Reply(202, b'{"status": "maintenance"}'),
    Reply(200, b'{"errorMessages": ["no"], "errors": {}}'),
    Reply(202, b'{"errorMessages": ["no"], "errors": {}}'),
    Reply(200, b'{"workspaceIds": "w", "id": 1, "value": "v"}'),
    Reply(202, b'{"acceptedWorkspaceIds": [1], "acceptedIncidents": {}}'),
)


@each_operation
def test_an_undocumented_success_is_not_jiras(
    jira: JiraClient, server: Server, call: Operation
) -> None:
    for reply in NOT_JIRAS:
        server.answers(reply)
        with pytest.raises(Unreadable) as raised:
            call(jira)
        assert raised.value.status == 503
        assert raised.value.message.startswith(f"Something other than Jira answered {reply.status}")


@each_operation
def test_a_success_of_the_documented_shape_is_jiras_whatever_its_content_type(
    jira: JiraClient, server: Server, call: Operation
) -> None:
    call(jira)

    (sent,) = server.calls
    reply = documented(sent.method, sent.target)
    server.answers(Reply(reply.status, reply.body, (("Content-Type", "text/plain"),)))
    call(jira)


@each_operation
@pytest.mark.parametrize("status", [400, 413])
def test_a_400_or_413_is_jiras_only_with_its_error_messages(
    jira: JiraClient, server: Server, call: Operation, status: int
) -> None:
    for body in (b"", PAGE, b"null", b"{}", b"[]", b"no", b'{"message": "no"}', b'["no"]', b"[{}]"):
        server.answers(Reply(status, body))
        with pytest.raises(Unreadable):
            call(jira)
    server.answers(Reply(status, b'[{"message": "no"}]', HTML))
    with pytest.raises(Unreadable):
        call(jira)

    server.answers((status, [{"message": "no", "errorTraceId": "ab"}]))
    with pytest.raises((RequestRefused, RequestTooLarge)) as raised:
        call(jira)
    assert raised.value.messages == ("no (errorTraceId ab)",)


@each_operation
@pytest.mark.parametrize("status", [401, 403, 404, 405, 451])
def test_a_page_of_any_other_4xx_is_not_jiras(
    jira: JiraClient, server: Server, call: Operation, status: int
) -> None:
    server.answers(Reply(status, PAGE, HTML))

    with pytest.raises(Unreadable) as raised:
        call(jira)

    assert raised.value.message == (f"Something other than Jira answered {status}: Log in & go on")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(302, SiteMoved), (429, RateLimited), (500, SiteDown), (503, SiteDown)],
)
def test_an_html_page_keeps_the_meaning_of_its_status(
    jira: JiraClient, server: Server, status: int, expected: type[JiraAnswered]
) -> None:
    server.answers(Reply(status, PAGE, (*HTML, ("Retry-After", "7"))))

    with pytest.raises(expected) as raised:
        jira.submit_entities(b"{}")

    assert raised.value.retry_after == "7"


# --- Failures ---

ERRORS: dict[int, type[JiraAnswered]] = {
    301: SiteMoved,
    302: SiteMoved,
    307: SiteMoved,
    400: RequestRefused,
    401: CredentialRefused,
    403: AccessRefused,
    405: JiraAnswered,
    413: RequestTooLarge,
    418: JiraAnswered,
    429: RateLimited,
    500: SiteDown,
    502: SiteDown,
    503: SiteDown,
}


@pytest.mark.parametrize(("status", "expected"), ERRORS.items())
def test_each_status_has_its_own_error_with_jiras_messages(
    jira: JiraClient, server: Server, status: int, expected: type[JiraAnswered]
) -> None:
    server.answers((status, [{"message": "one", "errorTraceId": "ab"}, {"message": "two"}]))

    with pytest.raises(JiraAnswered) as raised:
        jira.submit_entities(b"{}")

    assert type(raised.value) is expected
    assert raised.value.answer_status == status
    assert raised.value.messages == ("one (errorTraceId ab)", "two")
    assert len(server.calls) == 1


def test_a_404_is_an_error_where_the_resource_must_exist(jira: JiraClient, server: Server) -> None:
    server.answers((404, []))

    with pytest.raises(NothingThere):
        jira.submit_entities(b"{}")


@pytest.mark.parametrize(
    "body", [b"", b"<html>no</html>", b"[" * 100_000, b"{}", b'{"message": 1}']
)
def test_an_error_may_have_any_body(jira: JiraClient, server: Server, body: bytes) -> None:
    server.answers(Reply(503, body))

    with pytest.raises(SiteDown):
        jira.submit_entities(b"{}")


def test_the_retry_after_of_a_429_is_kept(jira: JiraClient, server: Server) -> None:
    server.answers(Reply(429, b"", (("Retry-After", "17"),)))

    with pytest.raises(RateLimited) as raised:
        jira.submit_entities(b"{}")

    assert raised.value.retry_after == "17"


@each_operation
def test_a_redirect_is_never_followed(jira: JiraClient, server: Server, call: Operation) -> None:
    server.answers(Reply(302, b"", (("Location", f"{server.url}/elsewhere"),)))

    with pytest.raises(SiteMoved):
        call(jira)

    assert len(server.calls) == 1


@pytest.mark.parametrize("trouble", ["silence", "reset", "end", "cut off"])
def test_no_response_means_that_jira_is_unreachable(
    jira: JiraClient, server: Server, trouble: str
) -> None:
    server.answers(Reply(trouble=trouble))

    with pytest.raises(JiraUnreachable) as raised:
        jira.submit_entities(b"{}")

    assert raised.value.status == 503
    # The next call uses a new connection.
    assert jira.submit_entities(b"{}").failed == {}


def test_an_answer_that_cannot_be_decompressed_is_unreachable(
    jira: JiraClient, server: Server
) -> None:
    broken = gzip.compress(b"{}")[:-4] + b"junk"
    server.answers(Reply(202, broken, (("Content-Encoding", "gzip"),)))

    with pytest.raises(JiraUnreachable):
        jira.submit_entities(b"{}")


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with http_client() as http, pytest.raises(JiraUnreachable):
        JiraClient(http, url, ConnectCredential(APP_KEY, CLIENT_KEY, url, SECRET)).workspaces()
