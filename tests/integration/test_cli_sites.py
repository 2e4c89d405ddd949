"""What `relay sites` says of a site in trouble, and of one that another took the place of."""

from typing import Any

import pytest

from relay.delivery.decisions import SUSPENDED, TABLE, Verdict
from relay_cli.troubles import TROUBLES, site_state
from relay_cli.words import parsed_moment
from tests.integration.cli_stage import (  # noqa: F401 (some are fixtures)
    Cli,
    Reply,
    command_alone,
    replying,
)

OLD, NEW = "0" * 32, "1" * 32
URL = "https://acme.atlassian.net"
LONG_AGO = "2026-01-31T09:30:00+00:00"
NO_LINKS = Reply(body={"workspaces": [], "inJira": [], "offered": []})


def site(state: str = "active", **fields: Any) -> dict[str, Any]:
    return {
        "id": OLD,
        "clientKey": "key-1",
        "baseUrl": URL,
        "installedAt": LONG_AGO,
        "state": state,
    } | fields


def trouble(code: str, message: str = "Jira answered 429", **fields: Any) -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "since": LONG_AGO,
        "until": "2026-01-31T12:03:00+00:00",
        "attempts": 7,
    } | fields


def shown(cli: Cli, *sites: dict[str, Any], arguments: tuple[str, ...] = ("show", OLD)) -> Any:
    with replying(Reply()) as server:
        server.by_path = {
            "/v1/sites": Reply(body={"sites": list(sites)}),
            f"/v1/sites/{OLD}/workspaces": NO_LINKS,
        }
        return cli("sites", *arguments, RELAY_URL=server.url)


def test_a_slowed_site_says_until_when_and_why(cli: Cli) -> None:
    slowed = site("slowed", trouble=trouble("rate_limited", status=429))

    listed = shown(cli, slowed, arguments=("list",))
    said = shown(cli, slowed).words

    assert "slowed until 2026-01-31 12:03:00 UTC: rate limited" in listed.out
    assert "relay sites show SITE" in listed.err
    assert "why Jira answered 429" in said
    assert "tried again 2026-01-31 12:03:00 UTC attempts 7" in said
    assert "to do Nothing is to be done" in said


def test_a_time_of_today_goes_without_its_date() -> None:
    slowed = site("slowed", trouble=trouble("site_down"))
    now = parsed_moment("2026-01-31T00:00:00Z")

    assert str(site_state(slowed, now)) == "slowed until 12:03:00 UTC: the site is down"


def test_a_site_that_needs_attention_says_since_when_and_what_jira_answered(cli: Cli) -> None:
    refused = site("needs attention", trouble=trouble("credential_refused", status=401))

    listed = shown(cli, refused, arguments=("list",)).out
    assert "needs attention since 2026-01-31 09:30:00 UTC: Jira answered 401" in listed
    assert "have the site's admin install the app again" in shown(cli, refused).words


def test_a_site_that_another_took_the_place_of_says_how_to_move(cli: Cli) -> None:
    refused = trouble("credential_refused", status=401)
    old = site("needs attention", trouble=refused, supersededBy=NEW)

    said = shown(cli, old, site(id=NEW)).words

    assert f"superseded by {NEW}" in said
    assert f"relay sites move {OLD} {NEW}" in said


def test_an_active_site_has_nothing_to_be_done(cli: Cli) -> None:
    listed = shown(cli, site(), arguments=("list",))

    assert "active" in listed.out
    assert listed.err == ""
    assert "to do" not in shown(cli, site()).out


@pytest.mark.parametrize("code", [*TROUBLES, "a code of next year"])
@pytest.mark.parametrize("state", ["slowed", "needs attention"])
def test_every_trouble_is_explained(cli: Cli, code: str, state: str) -> None:
    words, hint = TROUBLES.get(code, (code, "log"))

    said = shown(cli, site(state, trouble=trouble(code))).words

    assert words in said
    assert hint in said


@pytest.mark.parametrize(
    "code", [row.code for row in (*TABLE, SUSPENDED) if row.verdict is not Verdict.SPLIT]
)
def test_every_trouble_that_relay_keeps_has_words(code: str) -> None:
    assert code in TROUBLES


def test_the_json_is_the_apis_own(cli: Cli) -> None:
    slowed = site("slowed", trouble=trouble("site_down"))

    assert shown(cli, slowed, arguments=("list", "--json")).json() == {"sites": [slowed]}


def test_of_two_installations_the_url_means_the_one_that_is_there(cli: Cli) -> None:
    old, new = site(supersededBy=NEW), site(id=NEW)
    with replying(Reply()) as server:
        server.by_path = {
            "/v1/sites": Reply(body={"sites": [old, new]}),
            f"/v1/sites/{NEW}/workspaces": NO_LINKS,
            f"/v1/sites/{OLD}/workspaces": NO_LINKS,
        }
        for name, found in ((URL, NEW), ("acme", NEW), (OLD, OLD), (NEW, NEW)):
            document = cli("sites", "show", name, "--json", RELAY_URL=server.url).json()
            assert document["id"] == found


def test_two_installations_that_stand_side_by_side_are_named_by_their_ids(cli: Cli) -> None:
    with replying(Reply(body={"sites": [site(), site(id=NEW)]})) as server:
        ran = cli("sites", "show", URL, RELAY_URL=server.url, code=2)

    assert OLD in ran.err
    assert NEW in ran.err


def test_a_site_cannot_take_its_own_place(cli: Cli) -> None:
    with replying(Reply(body={"sites": [site(supersededBy=NEW), site(id=NEW)]})) as server:
        assert "its id" in cli("sites", "move", URL, NEW, RELAY_URL=server.url, code=2).err
        assert [method for method, _ in server.calls] == ["GET", "GET"]
