"""Which Relay the command calls, with which key, and how it reports failures."""

import ast
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import relay_cli
from relay_cli.api import LONGEST_WAIT, Relay, segment
from relay_cli.config import File, Flags, load_config
from relay_cli.failure import Failure, Misuse, Refused, Unavailable
from relay_cli.key import Key
from tests.integration.cli_stage import (
    Cli,
    Ran,
    Reply,
    replying,
)

HOME, NAMED, STACK = "home", "named", "stack"
SECRET = "s" * 43


def key_of(name: str) -> str:
    digits = name.encode().hex()[:16].ljust(16, "0")
    return f"relay_{digits}_{SECRET}"


def local(name: str) -> str:
    return f"http://127.0.0.1:1/{name}"


def write_home(folder: Path, **values: str) -> Path:
    return write_toml(folder / ".config" / "relay" / "config.toml", **values)


def write_toml(file: Path, **values: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()))
    return file


def write_stack(folder: Path, **values: Any) -> Path:
    file = folder / ".relay" / "stack.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"api": local(STACK), "apiKey": key_of(STACK)} | values))
    return file


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"flags", "environment", NAMED, STACK, HOME}, ("flags", "--url", "--key")),
        ({"environment", NAMED, STACK, HOME}, ("environment", "RELAY_URL", "RELAY_KEY")),
        ({NAMED, STACK, HOME}, (NAMED, "named.toml", "named.toml")),
        ({STACK, HOME}, (STACK, "stack.json", "stack.json")),
        ({HOME}, (HOME, "config.toml", "config.toml")),
    ],
)
def test_the_nearer_source_wins(
    tmp_path: Path, given: set[str], expected: tuple[str, str, str]
) -> None:
    home, work = tmp_path / "home", tmp_path / "work" / "deep" / "deeper"
    work.mkdir(parents=True)
    write_home(home, url=local(HOME), key=key_of(HOME))
    named = write_toml(tmp_path / "named.toml", url=local(NAMED), key=key_of(NAMED))
    environment: dict[str, str] = {}
    if "environment" in given:
        environment |= {"RELAY_URL": local("environment"), "RELAY_KEY": key_of("environment")}
    if NAMED in given:
        environment["RELAY_CONFIG"] = str(named)
    if STACK in given:
        write_stack(tmp_path / "work")
    flags = Flags(local("flags"), key_of("flags")) if "flags" in given else Flags()

    config = load_config(flags, environment, work, home)

    name, url_from, key_from = expected
    assert (config.url, config.key) == (local(name), Key(key_of(name)))
    assert config.url_from.endswith(url_from)
    assert config.key_from.endswith(key_from)


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        (Flags(url=local("flags")), {}),
        (Flags(key=key_of("flags")), {}),
        (Flags(), {"RELAY_URL": local("environment")}),
        (Flags(), {"RELAY_KEY": key_of("environment")}),
        (
            Flags(url=local("flags")),
            {"RELAY_URL": local("environment"), "RELAY_KEY": key_of("environment")},
        ),
        (
            Flags(key=key_of("flags")),
            {"RELAY_URL": local("environment"), "RELAY_KEY": key_of("environment")},
        ),
    ],
)
def test_the_url_of_one_source_and_the_key_of_another_are_refused(
    tmp_path: Path, flags: Flags, environment: dict[str, str]
) -> None:
    write_home(tmp_path, url=local(HOME), key=key_of(HOME))

    config = load_config(flags, environment, tmp_path, tmp_path)

    assert config.url
    assert config.key is None
    assert "is set" in config.no_key
    assert SECRET not in config.no_key


def test_a_key_for_another_relay_is_not_sent(cli: Cli) -> None:
    with replying(Reply()) as server:
        refused = cli("workspaces", "list", "--url", server.url, code=2)

    assert "RELAY_KEY belongs to http://127.0.0.1:9" in refused.err
    assert server.calls == []
    assert "not set" in cli("config", "show", "--url", server.url).out


def test_one_source_may_complete_another(tmp_path: Path) -> None:
    write_home(tmp_path, url=local(HOME))
    environment = {"RELAY_KEY": key_of("environment")}

    config = load_config(Flags(), environment, tmp_path, tmp_path)
    assert (config.url, config.key) == (local(HOME), Key(environment["RELAY_KEY"]))

    config = load_config(Flags(url=local("flags")), environment, tmp_path, tmp_path)
    assert (config.url, config.key) == (local("flags"), Key(environment["RELAY_KEY"]))


def test_repeating_the_same_url_keeps_the_other_settings(tmp_path: Path) -> None:
    write_stack(tmp_path, aws={"endpoint": "http://127.0.0.1:1"})

    config = load_config(Flags(url=f"{local(STACK)}/"), {}, tmp_path, tmp_path)

    assert (config.key, bool(config.aws)) == (Key(key_of(STACK)), True)


def test_the_queues_of_one_relay_are_never_shown_as_those_of_another(tmp_path: Path) -> None:
    write_stack(tmp_path, aws={"endpoint": "http://127.0.0.1:1"})

    flags = Flags(url=local("flags"), key=key_of("flags"))
    config = load_config(flags, {}, tmp_path, tmp_path)

    assert (config.url, config.aws) == (local("flags"), None)


def test_the_key_of_one_file_is_never_sent_to_the_host_of_another(tmp_path: Path) -> None:
    write_home(tmp_path, url=local(HOME), key=key_of(HOME))
    named = write_toml(tmp_path / "named.toml", url="https://elsewhere.example")

    config = load_config(Flags(config=named), {}, tmp_path, tmp_path)

    assert (config.url, config.key) == ("https://elsewhere.example", None)


def test_a_discovered_stack_file_cannot_point_elsewhere(tmp_path: Path) -> None:
    file = write_stack(tmp_path, api="https://elsewhere.example")

    with pytest.raises(Misuse, match="not on this machine"):
        load_config(Flags(), {"RELAY_KEY": key_of("environment")}, tmp_path, tmp_path)
    assert load_config(Flags(config=file), {}, tmp_path, tmp_path).url


def test_a_stack_file_of_another_user_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    found = load_config(Flags(), {}, tmp_path, tmp_path).url
    # Files of root are trusted, and in a container the tests' files are root's.
    assert found == (None if (tmp_path / ".relay" / "stack.json").stat().st_uid else local(STACK))


def test_the_home_file_follows_the_users_setting(tmp_path: Path) -> None:
    write_toml(tmp_path / "xdg" / "relay" / "config.toml", url=local("xdg"))
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}

    assert load_config(Flags(), environment, tmp_path, tmp_path).url == local("xdg")


def test_a_file_configures_the_aws_connection(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[aws]\nstack = "relay"\nregion = "eu-west-1"\nprofile = "ops"\n')

    aws = load_config(Flags(config=file), {}, tmp_path, tmp_path).aws

    assert aws
    assert (aws.stack, aws.region, aws.profile, aws.endpoint) == ("relay", "eu-west-1", "ops", None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("url = 7", "url must be a string"),
        ('ulr = "x"', "'ulr' is unknown"),
        ("aws = 7", "must be a table"),
        ("[aws]\nstak = 'x'", "'stak' is unknown"),
        ("url =", "not TOML"),
        ("{", "not JSON"),
        ('url = "ftp://x"', "must be a URL"),
        ('url = "https://"', "must be a URL"),
        ('url = "https://["', "must be a URL"),
        ('url = "https://x:99999"', "must be a URL"),
        ('url = "http://relay.example.com"', "must be https"),
        ('url = "https://me:secret@x"', "user name"),
        ('url = "https://x?y=z"', "query"),
    ],
)
def test_an_invalid_file_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)

    with pytest.raises(Misuse, match=why) as refused:
        load_config(Flags(config=file), {}, tmp_path, tmp_path)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"api": 7}', "api must be a string"),
        ('{"api": "http://127.0.0.1", "apiKey": 7}', "apiKey must be a string"),
        ('{"api": "http://["}', "not on this machine"),
    ],
)
def test_an_invalid_stack_file_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / ".relay").mkdir()
    (tmp_path / ".relay" / "stack.json").write_text(text)

    with pytest.raises(Misuse, match=why):
        load_config(Flags(), {}, tmp_path, tmp_path)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_an_unreadable_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "config.toml"
    if content:
        file.write_bytes(content)

    with pytest.raises(Misuse, match="can't be read"):
        load_config(Flags(config=file), {}, tmp_path, tmp_path)


def test_a_trailing_slash_in_the_url_is_ignored(tmp_path: Path) -> None:
    assert load_config(Flags(url=f"{local('x')}/"), {}, tmp_path, tmp_path).url == local("x")


@pytest.mark.parametrize("key", ["a b", "naïve", "line\nbreak"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(cli: Cli, key: str) -> None:
    refused = cli("keys", "list", code=2, RELAY_KEY=key)

    assert "not an API key" in refused.err


def test_a_key_is_hidden_in_its_representation() -> None:
    key = Key(f" {key_of('x')}\n")

    assert SECRET not in f"{key} {key!r} {File(Path('x'), key=key)!r}"
    assert str(key) == f"relay_{key.id}_***"
    assert str(Key("another")) == "***"


def test_the_settings_are_shown_with_their_sources(cli: Cli) -> None:
    file = str(write_stack(Path.cwd(), apiKey=None, aws={"endpoint": "http://127.0.0.1:2"}))

    shown = cli("config", "show", "--json", RELAY_URL="").json()

    assert shown["url"] == {"value": local(STACK), "from": file}
    assert shown["key"] == {"value": "relay_0123456789abcdef_***", "from": "RELAY_KEY"}
    assert shown["aws"]["endpoint"] == "http://127.0.0.1:2"
    assert "RELAY_KEY" in cli("config", "show").out
    nothing = Cli("", "")("config", "show", "--config", "/dev/null")
    assert nothing.out.count("not set") == 2


def test_a_missing_setting_is_requested(cli: Cli) -> None:
    without_url = cli("workspaces", "list", "--json", code=2, RELAY_URL="")
    without_key = cli("workspaces", "list", "--json", code=2, RELAY_KEY="")

    assert without_url.error_code == without_key.error_code == "config"
    assert "RELAY_URL" in without_url.err
    assert "RELAY_KEY" in without_key.err


def test_flags_may_precede_or_follow_the_command(cli: Cli) -> None:
    with replying(Reply(body={"workspaces": []})) as server:
        before = cli("--url", server.url, "--json", "workspaces", "list", RELAY_URL="")
        after = cli("workspaces", "list", "--url", server.url, "--json", RELAY_URL="")
        put = ("workspaces", "put", "w", "--name", "W", "--url", "https://w")
        put_there = cli("--url", server.url, *put, RELAY_URL="")

    assert before.json() == after.json() == {"workspaces": []}
    assert put_there.code == 0
    assert server.calls[-1] == ("PUT", "/v1/workspaces/w")


def test_every_call_of_a_command_has_one_id(cli: Cli) -> None:
    gone = Reply(404, {"error": {"code": "not_found", "message": "no"}})
    with replying(Reply(body={"workspaces": [], "next": "a"}), gone) as server:
        failed = cli("workspaces", "list", "--all", code=1, RELAY_URL=server.url)

    [first, second] = [headers["x-correlation-id"] for headers in server.headers]
    assert first == second
    assert first in failed.err


@pytest.mark.parametrize(
    ("reply", "code", "error"),
    [
        (Reply(400, {"error": {"code": "bad_request", "message": "no"}}), 1, "bad_request"),
        (Reply(401, {"error": {"code": "unauthenticated", "message": "no"}}), 4, "unauthenticated"),
        (Reply(403, b"<html>"), 4, "http_403"),
        (Reply(500, {"error": {"code": "internal_error", "message": "no"}}), 3, "internal_error"),
        (Reply(502, b"<html>"), 3, "http_502"),
        (Reply(504, {"message": "Endpoint request timed out"}), 3, "http_504"),
        (Reply(404, {"message": "Not Found"}), 3, "not_relay"),
        (Reply(200, b"<html>"), 3, "not_relay"),
        (Reply(200, {"status": "ok"}, named=False), 3, "not_relay"),
        (Reply(200, []), 3, "not_relay"),
        (Reply(301, b"", [("Location", "https://elsewhere.example/")]), 3, "not_relay"),
        (Reply(302, b"", [("Location", "/login")]), 3, "not_relay"),
    ],
)
def test_every_answer_has_its_exit_code(cli: Cli, reply: Reply, code: int, error: str) -> None:
    with replying(reply) as server:
        as_json = cli("sites", "list", "--json", code=code, RELAY_URL=server.url)
        said = cli("sites", "list", code=code, RELAY_URL=server.url)

    assert as_json.error_code == error
    assert as_json.out == said.out == ""
    assert said.err.startswith("Error: ")
    # Another server has no Relay operator who could look the call up.
    assert ("this call in Relay" in said.err) == (error != "not_relay")
    # A redirect is not followed: the key is for this host only.
    assert len(server.calls) == 2


def test_the_first_details_are_shown(cli: Cli) -> None:
    details = [{"path": f"a[{n}]", "rule": "r", "message": f"m {n}"} for n in range(25)]
    error = {"code": "bad_request", "message": "no", "details": details}
    with replying(Reply(400, {"error": error})) as server:
        said = cli("sites", "list", code=1, RELAY_URL=server.url).err

    assert "  a[0]: m 0 (r)\n" in said
    assert "and 5 more" in said


BUSY = Reply(503, {"error": {"code": "unavailable", "message": "no"}})


def call(replies: list[Reply], method: str = "GET", **options: Any) -> tuple[Any, list[float], int]:
    """The result, the waits, and the number of calls."""
    waits: list[float] = []
    with (
        replying(*replies) as server,
        Relay(server.url, None, "id", lambda _: None, sleep=waits.append) as relay,
    ):
        try:
            result: Any = relay.document(method, "/x", **options)
        except Failure as failure:
            result = failure
    return result, waits, len(server.calls)


@pytest.mark.parametrize(
    ("header", "waited"),
    [((), [1]), ((("Retry-After", "9"),), [9]), ((("Retry-After", "x"),), [1])],
)
def test_the_command_waits_as_long_as_a_busy_relay_asks(
    header: tuple[tuple[str, str]], waited: list[float]
) -> None:
    for status in (429, 503):
        busy = Reply(status, b"", header)
        assert call([busy, Reply(body={"a": 1})]) == ({"a": 1}, waited, 2)


def test_the_command_does_not_wait_forever_for_a_busy_relay() -> None:
    failure, waits, calls = call([BUSY])
    assert isinstance(failure, Unavailable)
    assert (waits, calls) == ([1, 2], 3)

    long = Reply(503, b"", [("Retry-After", str(LONGEST_WAIT + 1))])
    failure, waits, calls = call([long])
    assert isinstance(failure, Unavailable)
    assert (waits, calls) == ([], 1)


def test_an_unsafe_call_is_not_retried() -> None:
    failure, waits, calls = call([BUSY], "POST")
    assert isinstance(failure, Unavailable)
    assert (waits, calls) == ([], 1)
    assert call([BUSY, Reply(body={"a": 1})], "POST", repeatable=True)[0] == {"a": 1}


def test_a_refusal_is_not_retried() -> None:
    failure, waits, calls = call([Reply(401)])
    assert isinstance(failure, Refused)
    assert (waits, calls) == ([], 1)


def test_a_connection_that_breaks_is_retried_if_the_call_can_be_repeated() -> None:
    waits: list[float] = []
    # An answer cut off in its first line.
    with (
        broken(times=2) as url,
        Relay(url, None, "id", lambda _: None, sleep=waits.append) as relay,
    ):
        assert relay.document("GET", "/x") == {"a": 1}
        assert len(waits) == 2
    with (
        broken(times=1) as url,
        Relay(url, None, "id", lambda _: None, sleep=waits.append) as relay,
        pytest.raises(Unavailable, match="can't be reached"),
    ):
        relay.document("POST", "/x")
    assert len(waits) == 2


@contextmanager
def broken(times: int) -> Iterator[str]:
    """A Relay that closes so many connections without an answer, and then answers."""
    answer = b'HTTP/1.0 200 OK\r\nx-correlation-id: id\r\n\r\n{"a": 1}'

    def serve() -> None:
        for number in range(times + 1):
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                if number == times:
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_failed_connection_is_retried() -> None:
    waits: list[float] = []
    with (
        Relay("http://127.0.0.1:9", None, "id", lambda _: None, sleep=waits.append) as relay,
        pytest.raises(Unavailable, match="can't be reached"),
    ):
        relay.document("POST", "/x")
    assert len(waits) == 2


@pytest.mark.parametrize("path", [".", "..", "a/b", "a?b#c", "ä", "%2F", " "])
def test_an_id_is_one_path_segment_whatever_it_contains(path: str) -> None:
    with replying(Reply()) as server, Relay(server.url, None, "id", lambda _: None) as relay:
        relay.document("GET", f"/v1/{segment(path)}/end")

    [(_, asked)] = server.calls
    assert asked.startswith("/v1/")
    assert asked.endswith("/end")
    assert asked.count("/") == 3


def run(*arguments: str, folder: Path, **environment: str) -> Ran:
    """The command in its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "relay_cli", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_command_is_installed_and_prints_its_version(tmp_path: Path) -> None:
    console_script = Path(sys.executable).with_name("relay")

    version = run("--version", folder=tmp_path)
    assert (version.code, version.out.startswith("relay ")) == (0, True)
    assert console_script.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "iso-8859-1", "cp1252"])
def test_json_is_unescaped_utf_8_in_every_terminal_encoding(tmp_path: Path, encoding: str) -> None:
    url = "https://bücher.example/日本語/🔥"
    environment = {"RELAY_URL": url, "PYTHONIOENCODING": encoding}
    shown = run("config", "show", "--json", folder=tmp_path, **environment)
    assert shown.json()["url"]["value"] == url
    assert url in shown.out
    refused = run("sites", "list", "--json", "--config", "größe", folder=tmp_path, **environment)
    assert "größe" in refused.err
    assert refused.code != 0


def test_every_command_has_help(tmp_path: Path) -> None:
    said = run("--help", folder=tmp_path, COLUMNS="100").out

    for name in ("submit", "status", "doctor", "keys", "config", "Exit codes"):
        assert name in said
    assert run(folder=tmp_path).code == 2
    assert "--dry-run" in run("submit", "--help", folder=tmp_path, COLUMNS="100").out
    assert run("nonsense", folder=tmp_path).code == 2


def test_no_traceback_shows_the_key(tmp_path: Path) -> None:
    # No Relay sends such an answer, so the command reports a bug.
    with replying(Reply(body={"sites": [{}]})) as server:
        broken = run("sites", "list", folder=tmp_path, RELAY_URL=server.url, RELAY_KEY=key_of("x"))

    assert broken.code == 1
    assert "Traceback" in broken.err
    assert SECRET not in broken.err


def test_a_closed_output_pipe_is_not_an_error(tmp_path: Path) -> None:
    sites = [
        {"id": "0" * 32, "baseUrl": f"https://{n}.example", "state": "active", "installedAt": ""}
        for n in range(20_000)
    ]
    with (
        replying(Reply(body={"sites": sites})) as server,
        subprocess.Popen(
            [sys.executable, "-m", "relay_cli", "sites", "list"],
            env={"PATH": os.environ["PATH"], "RELAY_URL": server.url, "RELAY_KEY": "k"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("ID")
        process.stdout.close()
        assert process.stderr.read() == ""


def test_the_command_imports_nothing_of_relay_and_loads_aws_on_demand() -> None:
    allowed = {"httpx", "relay_cli", "rich", "typer", *sys.stdlib_module_names}
    for path in sorted(Path(relay_cli.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        modules = {
            name
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
        }
        assert {module.partition(".")[0] for module in modules} <= allowed, path


def test_an_unreadable_folder_is_skipped(tmp_path: Path) -> None:
    # It counts as missing: its path leads through a file.
    (tmp_path / ".relay").write_text("")

    assert load_config(Flags(), {}, tmp_path, tmp_path).file is None
