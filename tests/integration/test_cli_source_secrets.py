"""`relay sources add` and `relay sources secret`: who makes a secret, and who sees it."""

import json

import pytest

from tests.integration.cli_stage import Cli, Reply, Stage, replying
from tests.integration.sources_stage import (
    SECRET,
    TRIGGERED,
    WHERE,
    add,
    add_pagerduty,
    deliver,
    url_of,
    write,
)
from tests.integration.terminal import Terminal

UNKNOWN = Reply(404, {"error": {"code": "unknown_source", "message": "None.", "details": []}})
MADE = {
    "id": "alerts",
    "kind": "siren",
    "settings": {},
    "hasSecret": True,
    "url": "https://relay.example.com/sources/" + "a" * 43,
}


def test_changed_settings_leave_the_secret(operations: Stage) -> None:
    url = url_of(add_pagerduty(operations).out)

    operations.cli("sources", "set", *WHERE, "--component", "shop")

    assert deliver(operations, url, TRIGGERED, SECRET) == 202


@pytest.mark.parametrize("by", ["file", "stdin", "environment"])
def test_a_given_secret_is_stored_and_not_shown(operations: Stage, by: str) -> None:
    arguments = ("sources", "add", *WHERE, "--kind", "pagerduty")
    if by == "file":
        file = write("secret.txt", f"{SECRET}\n")
        added = operations.cli(*arguments, "--secret-file", file, RELAY_SOURCE_SECRET="another")
    elif by == "stdin":
        added = operations.cli(*arguments, "--secret-file", "-", stdin=SECRET.encode())
    else:
        added = operations.cli(*arguments, RELAY_SOURCE_SECRET=SECRET)

    assert SECRET not in added.out + added.err
    assert "relay sources secret" not in added.out
    url = url_of(added.out)
    assert deliver(operations, url, TRIGGERED, "another") == 401
    assert deliver(operations, url, TRIGGERED, SECRET) == 202


def test_a_tool_that_makes_its_secret_is_refused_until_it_is_given(operations: Stage) -> None:
    added = add(operations, "pagerduty")
    url, command = url_of(added.out), "relay sources secret operations alerts"

    assert added.out.endswith(f"refuses PagerDuty's calls until then: {command}\n")
    assert deliver(operations, url, TRIGGERED, SECRET) == 401
    missing = operations.cli(*command.split()[1:], code=2)
    assert "RELAY_SOURCE_SECRET" in missing.err
    given = operations.cli(*command.split()[1:], RELAY_SOURCE_SECRET=SECRET)
    assert SECRET not in given.out + given.err
    assert deliver(operations, url, TRIGGERED, SECRET) == 202


def test_a_terminal_is_asked_for_the_tools_secret(operations: Stage) -> None:
    terminal = Terminal(operations.cli, "sources", "add", *WHERE, "--kind", "pagerduty")
    terminal.wait_for("Paste the secret that PagerDuty shows: ")
    assert "6. Paste the secret below" in terminal.shown
    # The terminal is narrower than the URL.
    url = url_of(terminal.shown)
    assert deliver(operations, url, TRIGGERED, SECRET) == 401
    terminal.enter(f" {SECRET} ")

    assert terminal.end() == 0
    assert SECRET not in terminal.shown
    assert deliver(operations, url, TRIGGERED, SECRET) == 202


def test_json_is_no_conversation(operations: Stage) -> None:
    terminal = Terminal(operations.cli, "sources", "add", *WHERE, "--kind", "pagerduty", "--json")

    assert terminal.end() == 0
    document = json.loads(terminal.shown)
    assert document["steps"][-1].endswith("relay sources secret operations alerts")
    assert "secret" not in document


def test_a_terminal_is_asked_for_another_secret(operations: Stage) -> None:
    url = url_of(add_pagerduty(operations).out)
    terminal = Terminal(operations.cli, "sources", "secret", *WHERE)
    question = "Paste the secret that PagerDuty shows: "
    terminal.wait_for(question)
    terminal.enter("   ")
    terminal.wait_for(f"{question}\n{question}")
    terminal.enter("another")

    assert terminal.end() == 0
    assert "another" not in terminal.shown
    assert deliver(operations, url, TRIGGERED, SECRET) == 401
    assert deliver(operations, url, TRIGGERED, "another") == 202


def kind_of(signing: str, *steps: str) -> Reply:
    kind = {"kind": "siren", "title": "Siren", "signing": signing, "setup": ["Paste {url}", *steps]}
    return Reply(body={"kinds": [kind]})


@pytest.mark.parametrize("signing", ["user", "optional"])
@pytest.mark.parametrize("steps", [("Its secret: {secret}",), ()])
def test_a_secret_of_the_users_is_generated_and_shown_once(
    cli: Cli, signing: str, steps: tuple[str, ...]
) -> None:
    arguments = ("sources", "add", *WHERE, "--kind", "siren")
    with replying(kind_of(signing, *steps), UNKNOWN, Reply(body=MADE)) as relay:
        added = Cli(relay.url, cli.key)(*arguments, *(["--sign"] if signing == "optional" else []))

    sent = json.loads(relay.bodies[-1])["secret"]
    assert len(sent) == 44
    assert added.out.count(sent) == 1
    assert "the URL or the secret again" in added.err
    assert sent not in added.err


def test_generated_secrets_differ(cli: Cli) -> None:
    sent = []
    for _ in range(2):
        with replying(kind_of("user"), UNKNOWN, Reply(body=MADE)) as relay:
            added = Cli(relay.url, cli.key)(
                "sources", "add", *WHERE, "--kind", "siren", "--json"
            ).json()
        sent.append(json.loads(relay.bodies[-1])["secret"])
        assert added["secret"] == sent[-1]
        assert added["steps"] == [f"Paste {MADE['url']}", f"Secret: {sent[-1]}"]
    assert sent[0] != sent[1]


@pytest.mark.parametrize("signing", ["user", "optional"])
def test_the_users_own_secret_is_not_shown(cli: Cli, signing: str) -> None:
    replies = (kind_of(signing, "Its secret: {secret}"), UNKNOWN, Reply(body=MADE))
    with replying(*replies) as relay:
        run = Cli(relay.url, cli.key)
        added = run("sources", "add", *WHERE, "--kind", "siren", RELAY_SOURCE_SECRET=SECRET)

    assert json.loads(relay.bodies[-1])["secret"] == SECRET
    assert SECRET not in added.out + added.err
    assert "Its secret: <the secret in RELAY_SOURCE_SECRET>" in added.out


def test_a_tool_that_may_sign_does_so_only_on_request(cli: Cli) -> None:
    steps = ("Its secret: {secret}", "Send {url} with {secret}")
    with replying(kind_of("optional", *steps), UNKNOWN, Reply(body=MADE)) as relay:
        added = Cli(relay.url, cli.key)("sources", "add", *WHERE, "--kind", "siren")

    assert "secret" not in json.loads(relay.bodies[-1])
    assert "Its secret" not in added.out
    assert "can also sign its calls" in added.err
    assert "relay sources secret operations alerts\n" in added.err
    assert f"2. Send {MADE['url']} with <none>\n" in added.out


def test_a_terminal_is_asked_for_the_users_own_secret(cli: Cli) -> None:
    question = "Paste the secret with which Siren signs: "
    with replying(Reply(body=MADE), kind_of("optional"), Reply(body=MADE)) as relay:
        terminal = Terminal(Cli(relay.url, cli.key), "sources", "secret", *WHERE)
        terminal.wait_for(question)
        terminal.enter(SECRET)
        assert terminal.end() == 0

    assert json.loads(relay.bodies[-1]) == {"kind": "siren", "settings": {}, "secret": SECRET}


def test_a_step_of_several_lines_stays_so(cli: Cli) -> None:
    with replying(kind_of("none", "Payload:\n{\n  1\n}"), UNKNOWN, Reply(body=MADE)) as relay:
        added = Cli(relay.url, cli.key)("sources", "add", *WHERE, "--kind", "siren")

    assert added.out.endswith("2. Payload:\n   {\n     1\n   }\n")


def test_a_source_that_another_call_has_just_made_is_not_this_ones(cli: Cli) -> None:
    made = {name: value for name, value in MADE.items() if name != "url"}
    with replying(kind_of("none"), UNKNOWN, Reply(body=made)) as relay:
        added = Cli(relay.url, cli.key)("sources", "add", *WHERE, "--kind", "siren", code=1)

    assert "renew-url" in added.err


@pytest.mark.parametrize("options", [("--sign",), ("--secret-file", "-")])
def test_a_tool_that_does_not_sign_gets_no_secret(
    operations: Stage, options: tuple[str, ...]
) -> None:
    arguments = ("sources", "add", *WHERE, "--kind", "alertmanager", *options)

    refused = operations.cli(*arguments, stdin=SECRET.encode(), code=2)

    assert refused.err == (
        "Error: Alertmanager does not sign its calls, so the source can't have a secret.\n"
    )
    assert "There are none" in operations.cli("sources", "list", "operations").err
