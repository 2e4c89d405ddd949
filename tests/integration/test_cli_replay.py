"""`relay replay` and `relay replays`: how a replay is started, followed and left running."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_cli import replay as replay_command
from relay_cli.api import Relay
from relay_cli.replay import MISSED_MAX, follow
from relay_cli.words import parsed_since, span
from tests.integration.cli_stage import (
    Cli,
    Replies,
    Reply,
    Stage,
    replying,
    work,
)
from tests.support.entities import incident

SITE = "0" * 32
STARTED = "2026-01-31T09:30:00+00:00"
PATH = f"/v1/sites/{SITE}/replay"
SITES = Reply(body={"sites": [{"id": SITE, "baseUrl": "https://acme.atlassian.net"}]})


@pytest.fixture(autouse=True)
def no_polling_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_SECONDS", "WAITING_POLL_SECONDS"):
        monkeypatch.setattr(replay_command, name, 0)


def one(state: str = "running", **fields: Any) -> dict[str, Any]:
    return {
        "workspaceId": "operations",
        "state": state,
        "what": "owed",
        "why": "requested",
        "startedAt": STARTED,
        "updatedAt": STARTED,
        "done": 0,
        "refused": 0,
    } | fields


def done(number: int = 40, **fields: Any) -> dict[str, Any]:
    return one("done", done=number, total=number, endedAt=STARTED) | fields


def reply(*replays: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, {"replays": list(replays)})


def bodies(server: Replies) -> list[Any]:
    return [json.loads(body) for body in server.bodies if body]


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ((), {"what": "owed"}),
        (("--owed",), {"what": "owed"}),
        (("--all",), {"what": "all"}),
        (("--since", "2026-01-31"), {"what": "owed", "since": "2026-01-31T00:00:00Z"}),
        (
            ("--owed", "--since", "2026-01-31T09:30:00+02:00"),
            {"what": "owed", "since": "2026-01-31T07:30:00Z"},
        ),
        (("--workspace", "payments"), {"what": "owed", "workspaceId": "payments"}),
    ],
)
def test_the_requested_scope_is_sent(cli: Cli, arguments: tuple[str, ...], body: Any) -> None:
    with replying(SITES, reply(one(), status=202)) as server:
        ran = cli("replay", "acme", "--no-wait", *arguments, RELAY_URL=server.url)

    assert server.calls[-1] == ("POST", PATH)
    assert bodies(server) == [body]
    assert ran.out == "1 replay started.\n"
    assert f"relay replays {SITE} --follow" in ran.err


def test_an_entity_that_the_site_fails_on_is_not_reported_as_answered(cli: Cli) -> None:
    ended = done() | {"until": "2026-01-31T10:00:00.000+00:00"}
    with replying(SITES, reply(one(), status=202), reply(ended)) as server:
        ran = cli("replay", SITE, RELAY_URL=server.url)

    assert "has answered for" not in ran.out
    assert "The site fails for some and accepts others" in ran.out
    assert "first at 2026-01-31 10:00:00 UTC" in ran.out
    assert "relay list operations --state owed" in ran.err


def test_a_time_back_from_now_is_sent_as_a_date(cli: Cli) -> None:
    with replying(SITES, reply(one(), status=202)) as server:
        cli("replay", SITE, "--no-wait", "--since", "2h", RELAY_URL=server.url)

    since = datetime.fromisoformat(bodies(server)[0]["since"])
    assert timedelta(hours=2) <= datetime.now(UTC) - since < timedelta(hours=3)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all", "--owed"),
        ("--all", "--since", "2h"),
        ("--since", "yesterday"),
        ("--since", ""),
        ("--since", "999999999w"),
        ("--since", "9999-01-01"),
    ],
)
def test_contradictory_options_are_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    with replying(SITES) as server:
        cli("replay", SITE, *arguments, RELAY_URL=server.url, code=2)

    assert ("POST", PATH) not in server.calls


def test_it_is_followed_until_it_is_done(cli: Cli) -> None:
    steps = [
        reply(one(), status=202),
        reply(one()),
        reply(one(done=4, total=40, perSecond=2.0, remaining=36)),
        reply(one(done=5, total=40, perSecond=2.0, remaining=35)),
        reply(one("waiting", done=20, total=40, reason="Jira answered 429", until=STARTED)),
        reply(done()),
    ]
    with replying(SITES, *steps) as server:
        ran = cli("replay", SITE, RELAY_URL=server.url)

    assert ran.out == "Workspace operations: the site has answered for 40 entities.\n"
    assert ran.err.splitlines() == [
        "operations: 0; preparing",
        "operations: 4 of 40; 2 a second, about 18 seconds left",
        "operations: 20 of 40; waits: Jira answered 429; continues at 2026-01-31 09:30:00 UTC",
        "operations: 40 of 40; done 2026-01-31 09:30:00 UTC",
    ]


def test_with_json_each_change_is_a_line(cli: Cli) -> None:
    steps = [reply(one(done=1, total=2)), reply(one(done=1, total=2)), reply(done(2))]
    with replying(SITES, reply(one(), status=202), *steps) as server:
        ran = cli("replay", SITE, "--json", RELAY_URL=server.url)

    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert lines == [{"replays": [one(done=1, total=2)]}, {"replays": [done(2)]}]
    assert ran.err == ""


def test_with_json_and_no_wait_the_output_is_the_apis_response(cli: Cli) -> None:
    with replying(SITES, reply(one(), status=202)) as server:
        ran = cli("replay", SITE, "--no-wait", "--json", RELAY_URL=server.url)

    assert ran.json() == {"replays": [one()]}


def test_a_terminal_has_a_bar_for_each_workspace(cli: Cli) -> None:
    other = one(workspaceId="pay[bold]ments", done=3, total=12)
    steps = [
        reply(one(), other, status=202),
        reply(one("waiting", reason="Jira answered 503"), other),
        reply(done(), other | done(12, workspaceId="pay[bold]ments")),
    ]
    with replying(SITES, *steps) as server:
        ran = cli("replay", SITE, RELAY_URL=server.url, FORCE_COLOR="1", COLUMNS="160")

    # Markup in a name is shown literally.
    for part in ("operations", "pay[bold]ments", "3/12", "waits: Jira answered 503", "40/40"):
        assert part in ran.err
    assert "answered for 40 entities" in ran.out


def test_refusals_by_jira_are_shown_and_set_the_exit_code(cli: Cli) -> None:
    steps = [reply(one(), status=202), reply(done(refused=3))]
    with replying(SITES, *steps) as server:
        ran = cli("replay", SITE, RELAY_URL=server.url, code=1)

    assert "Jira refused 3 of them." in ran.out
    assert "relay list operations --state rejected" in ran.err


def test_only_started_replays_are_followed(cli: Cli) -> None:
    other = one("waiting", workspaceId="other", reason="Jira answered 401")
    steps = [reply(one(), status=202), reply(done(), other)]
    with replying(SITES, *steps) as server:
        ran = cli("replay", SITE, "--workspace", "operations", RELAY_URL=server.url)

    assert "other" not in ran.out + ran.err


def test_stopping_the_command_stops_no_replay(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    # A user who waits presses Ctrl-C.
    monkeypatch.setattr(time, "sleep", stop)
    with replying(SITES, reply(one(), status=202), reply(one())) as server:
        said = cli("replay", SITE, RELAY_URL=server.url, code=130)
        server.replies = [SITES, reply(one(), status=202), reply(one())]
        as_json = cli("replay", SITE, "--json", RELAY_URL=server.url, code=130)

    assert f"The replay continues. `relay replays {SITE} --follow`" in said.err
    assert as_json.error_code == "stopped"
    assert {method for method, _ in server.calls} == {"GET", "POST"}


def test_replays_are_shown_without_starting_one(cli: Cli) -> None:
    found = [
        one("waiting", reason="Jira answered 429", until=STARTED, total=40, done=4),
        one(workspaceId="payments", what="since", since=STARTED, why="linked"),
        done(7, workspaceId="web", refused=2),
    ]
    with replying(SITES, reply(*found)) as server:
        said = cli("replays", SITE, RELAY_URL=server.url).words
        server.replies = [SITES, reply(*found)]
        as_json = cli("replays", SITE, "--json", RELAY_URL=server.url).json()

    assert "4 of 40 0 waits: Jira answered 429; continues at 2026-01-31 09:30:00 UTC" in said
    assert "payments running since 2026-01-31 09:30:00 UTC linked" in said
    assert "web done owed requested 2026-01-31 09:30:00 UTC 7 of 7 2 done" in said
    assert as_json == {"replays": found}
    assert {method for method, _ in server.calls} == {"GET"}


def test_running_replays_are_followed_without_starting_one(cli: Cli) -> None:
    with replying(SITES, reply(one()), reply(one(done=1, total=2)), reply(done(2))) as server:
        ran = cli("replays", SITE, "--follow", RELAY_URL=server.url)
        server.replies = [SITES, reply()]
        none = cli("replays", SITE, "--follow", RELAY_URL=server.url)

    assert ran.out == "Workspace operations: the site has answered for 2 entities.\n"
    assert none.out == "There are no replays.\n"
    assert {method for method, _ in server.calls} == {"GET"}


def test_polling_slows_down_while_every_replay_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_command, "POLL_SECONDS", 1)
    monkeypatch.setattr(replay_command, "WAITING_POLL_SECONDS", 9)
    waiting = one("waiting", until=STARTED)
    steps = [reply(one("waiting")), reply(waiting, one(workspaceId="b")), reply(waiting)]
    pauses: list[float] = []
    with (
        replying(*steps, reply(done())) as server,
        Relay(server.url, None, "id", lambda _: None) as relay,
    ):
        ended = follow(relay, SITE, None, lambda _: None, pauses.append)

    assert ended == [done()]
    assert pauses == [1, 1, 9]


def test_a_temporarily_unreachable_relay_does_not_end_the_command() -> None:
    gone = [Reply(500)] * (MISSED_MAX - 1)
    seen: list[Any] = []
    with (
        replying(reply(one()), *gone, reply(one()), *gone, reply(done())) as server,
        Relay(server.url, None, "id", lambda _: None) as relay,
    ):
        ended = follow(relay, SITE, {"operations"}, seen.append, lambda _: None)

    assert ended == [done()]
    assert seen == [[one()], [one()], [done()]]


def test_a_relay_that_stays_unreachable_ends_the_command_but_not_the_replay(cli: Cli) -> None:
    with replying(SITES, reply(one(), status=202), Reply(500)) as server:
        ran = cli("replay", SITE, RELAY_URL=server.url, code=3)

    assert "The replay continues." in ran.err
    assert len(server.calls) == 2 + MISSED_MAX


def test_the_apis_error_is_shown(cli: Cli) -> None:
    error = {"code": "uninstalled", "message": "The site does not have the app.", "details": []}
    with replying(SITES, Reply(409, {"error": error})) as server:
        assert cli("replay", SITE, "--json", RELAY_URL=server.url, code=1).error_code == (
            "uninstalled"
        )


NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("90m", datetime(2026, 1, 31, 8, 0, tzinfo=UTC)),
        ("2h", datetime(2026, 1, 31, 7, 30, tzinfo=UTC)),
        ("3d", datetime(2026, 1, 28, 9, 30, tzinfo=UTC)),
        ("1w", datetime(2026, 1, 24, 9, 30, tzinfo=UTC)),
        ("30s", datetime(2026, 1, 31, 9, 29, 30, tzinfo=UTC)),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=UTC)),
        ("2026-01-30 09:00", datetime(2026, 1, 30, 9, tzinfo=UTC)),
        ("2026-01-30T09:00:00Z", datetime(2026, 1, 30, 9, tzinfo=UTC)),
        ("2026-01-30T09:00:00-05:00", datetime(2026, 1, 30, 14, tzinfo=UTC)),
        ("", None),
        ("2", None),
        ("h", None),
        ("2y", None),
        ("-2h", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("999999999w", None),
    ],
)
def test_since_is_a_duration_or_a_date(text: str, since: datetime | None) -> None:
    assert parsed_since(text, NOW) == since


@given(st.text())
def test_any_other_since_is_refused(text: str) -> None:
    since = parsed_since(text, NOW)

    assert since is None or since.tzinfo == UTC


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.9, ""), (1, "1 second"), (119, "1 minute"), (7_200, "2 hours"), (200_000, "2 days")],
)
def test_a_duration_is_shown_in_its_largest_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.fixture
def time_for_work(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replayer works while the command waits."""
    monkeypatch.setattr(time, "sleep", lambda _: work(stage))


@pytest.mark.usefixtures("time_for_work")
def test_entities_that_a_site_lost_are_delivered_again(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident(f"inc-{n}") for n in range(12)])
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/forget").raise_for_status()

    owed = stage.cli("replay", stage.site.name)
    lost = stage.site.held("incident")
    everything = stage.cli("replay", stage.site.name, "--all")

    assert "answered for 12 entities" in owed.out
    assert owed.out == everything.out
    # Jira had answered for each of them.
    assert lost == {}
    assert len(stage.site.held("incident")) == 12
    assert "12 of 12; done" in everything.err


def test_the_json_of_replays_is_the_apis_response(stage: Stage) -> None:
    stage.link()
    stage.link("payments")
    work(stage)

    document = stage.cli("replays", stage.site.name, "--json").json()

    path = f"/v1/sites/{stage.site.id}/replay"
    assert document == stage.relay.provider("GET", path).json()
    assert [(one["workspaceId"], one["why"]) for one in document["replays"]] == [
        ("operations", "linked"),
        ("payments", "linked"),
    ]
    assert stage.cli("replays", stage.site.name).rows[0][:4] == [
        "operations",
        "done",
        "all",
        "linked",
    ]


@pytest.mark.usefixtures("time_for_work")
def test_one_workspace_is_replayed_since_a_time(stage: Stage) -> None:
    stage.link()
    stage.link("payments")
    stage.relay.submit("operations", incidents=[incident()])
    stage.relay.submit("payments", incidents=[incident("inc-2")])
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/forget").raise_for_status()

    stage.cli("replay", stage.site.name, "--workspace", "payments", "--since", "1h")

    assert stage.site.held("incident").keys() == {"inc-2"}
    found = stage.cli("replays", stage.site.name, "--json").json()["replays"]
    assert {one["workspaceId"]: one["what"] for one in found} == {
        "operations": "all",
        "payments": "since",
    }


@pytest.mark.usefixtures("time_for_work")
def test_refusals_during_a_replay_are_shown(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident(), incident("inc-2")])
    stage.site.simulator.fail(stage.site.name, {"kind": "refuse entity", "pattern": r"\.inc-2$"})

    ran = stage.cli("replay", stage.site.name, "--all", code=1)

    assert "Jira refused 1 of them." in ran.out
    assert "inc-2" in stage.cli("list", "operations", "--state", "rejected").out


def test_a_replay_of_a_rate_limited_site_says_why_it_waits(stage: Stage) -> None:
    stage.link()
    work(stage)
    stage.relay.submit("operations", incidents=[incident()])
    stage.site.simulator.fail(stage.site.name, {"kind": "rate limit", "retryAfter": "600"})

    stage.cli("replay", stage.site.name, "--all", "--no-wait")
    work(stage)

    [waiting] = stage.cli("replays", stage.site.name, "--json").json()["replays"]
    assert (waiting["state"], waiting["why"]) == ("waiting", "requested")
    said = stage.cli("replays", stage.site.name).words
    assert f"waits: {waiting['reason']}; continues at" in said
    assert "Jira answered 429" in said


def test_a_replay_that_cannot_start_says_why(stage: Stage) -> None:
    stage.link()
    unknown = stage.cli("replay", stage.site.name, "--workspace", "none", "--json", code=1)
    assert unknown.error_code == "unknown_link"
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/uninstall").raise_for_status()
    gone = stage.cli("replay", stage.site.name, "--json", code=1)
    assert gone.error_code == "uninstalled"
    key = stage.relay.key_for("operations")
    stage.cli("replay", stage.site.name, RELAY_KEY=key, code=4)


def test_a_site_without_links_has_no_replays(stage: Stage) -> None:
    assert "No workspace is linked" in stage.cli("replay", stage.site.name).err
    assert stage.cli("replays", stage.site.name).err == "There are none.\n"
