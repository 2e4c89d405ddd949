"""`relay forge manifest` against the functions that it reads, as Relay is deployed."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.cli_stage import (
    Cli,
    Reply,
    replying,
)
from tests.integration.relay_stage import LoadFunction
from tests.support.gateway import Functions, gateway
from tests.support.template import ROOT

APP_ID = "ari:cloud:ecosystem::app/406d303d-0393-4ec4-ad7c-1435be94583a"
Deploy = Callable[..., str]
URL = "https://relay.acme.example"
MANIFEST = ("forge", "manifest", "--app-id", APP_ID)
STATIC = ROOT / "functions" / "page" / "static"
COMPONENTS = "jira:jiraDevOpsComponentProvider"


@pytest.fixture
def deploy(function: LoadFunction, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Deploys Relay with these parameters; returns the URL at which this machine reaches it."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    with gateway(Functions(function)) as api:

        def deploy_with(**variables: str) -> str:
            monkeypatch.setenv("APP_KEY", variables.get("APP_KEY", "relay-operations"))
            monkeypatch.setenv("BASE_URL", variables.get("BASE_URL", URL))
            api.functions["descriptor"] = function("descriptor", **variables)
            return api.url

        yield deploy_with


def test_the_manifest_describes_the_deployed_app(cli: Cli, deploy: Deploy) -> None:
    url = deploy(APP_KEY="acme.relay", COMPONENTS_MODULE="on", REVIEW_ACTION="on")

    ran = cli(*MANIFEST, "--url", url)

    manifest = yaml.safe_load(ran.out)
    assert manifest["app"]["id"] == APP_ID
    assert manifest["app"]["connect"]["key"] == "acme.relay"
    assert manifest["remotes"][0]["baseUrl"] == URL
    assert COMPONENTS in manifest["connectModules"]
    assert "createPostIncidentReview" not in ran.out
    assert "createPostIncidentReview is left out" in ran.err
    assert "--guide-url" in ran.err


def test_a_disabled_module_is_neither_generated_nor_required(cli: Cli, deploy: Deploy) -> None:
    url = deploy(COMPONENTS_MODULE="off", REVIEW_ACTION="off")

    ran = cli(*MANIFEST, "--url", url, "--guide-url", "https://docs.example.com/a?b#c")

    assert ran.err == ""
    manifest = yaml.safe_load(ran.out)
    assert COMPONENTS not in manifest["connectModules"]
    [guide] = manifest["modules"]["connectToForgeMigration"]
    assert guide["migrationGuideUrl"] == "https://docs.example.com/a?b#c"


def test_the_manifest_is_written_to_a_file_or_a_pipe(
    cli: Cli, deploy: Deploy, tmp_path: Path
) -> None:
    url = deploy()
    file = tmp_path / "manifest.yml"

    printed = cli(*MANIFEST, "--url", url).out
    assert str(file) in cli(*MANIFEST, "--url", url, "--output", str(file)).out
    assert file.read_text() == printed
    assert cli(*MANIFEST, "--url", url, "--json").json() == yaml.safe_load(printed)
    written = cli(*MANIFEST, "--url", url, "--output", str(file), "--json")
    page = str(tmp_path / "static" / "relay-page")
    assert written.json() == {"output": str(file), "page": page}
    refused = cli(*MANIFEST, "--url", url, "--output", str(tmp_path), code=2)
    assert "can't be written" in refused.err


def test_the_pages_files_are_the_deployed_ones(cli: Cli, deploy: Deploy, tmp_path: Path) -> None:
    url = deploy()

    ran = cli(*MANIFEST, "--url", url, "--output", str(tmp_path / "manifest.yml"))

    folder = tmp_path / "static" / "relay-page"
    assert str(folder) in ran.out
    assert "npm install && npm run build" in ran.out
    for name in ("page.js", "page.css", "theme.css"):
        assert (folder / "build" / "page" / name).read_bytes() == (STATIC / name).read_bytes()
    html = (folder / "build" / "index.html").read_text("utf-8")
    assert html == (STATIC / "index.html").read_text("utf-8").replace("{{all_js}}", "page/forge.js")
    package = json.loads((folder / "package.json").read_text("utf-8"))
    # Pinned: what is built today is what was tested.
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["dependencies"]["@forge/bridge"])
    assert "--outfile=build/page/forge.js" in package["scripts"]["build"]
    # The transport is built, not served, so Relay ships nothing of Atlassian's.
    assert not (folder / "build" / "page" / "forge.js").exists()


def test_without_the_pages_files_nothing_is_written(cli: Cli, tmp_path: Path) -> None:
    page = Reply(404, {"error": {"code": "not_found", "message": "No route."}})
    replies = {"/atlassian-connect.json": Reply(body=whole()), "/page/forge.html": page}
    with replying(Reply()) as server:
        server.by_path = replies
        ran = cli(*MANIFEST, "--url", server.url, "--output", str(tmp_path / "new.yml"), code=1)

    assert "No route." in ran.err
    assert list(tmp_path.glob("*.yml")) == []


def test_each_region_may_have_its_own_relay(cli: Cli, deploy: Deploy) -> None:
    url = deploy()

    ran = cli(
        *MANIFEST, "--url", url, *regions("US=https://us.example.com/", "EU=https://e.example")
    )

    assert yaml.safe_load(ran.out)["remotes"][0]["baseUrl"] == {
        "default": URL,
        "EU": "https://e.example",
        "US": "https://us.example.com",
    }


def test_a_base_url_that_differs_from_relays_is_reported(cli: Cli, deploy: Deploy) -> None:
    url = deploy()

    other = cli(*MANIFEST, "--url", url, "--base-url", "https://other.example.com/")
    same = cli(*MANIFEST, "--url", url, "--base-url", URL)

    assert URL not in other.out
    assert "BaseUrl=https://other.example.com" in other.err
    assert "BaseUrl" not in same.err


def test_a_relay_without_https_gets_no_manifest(cli: Cli, deploy: Deploy) -> None:
    url = deploy(BASE_URL="http://127.0.0.1:3000")

    refused = cli(*MANIFEST, "--url", url, code=2)
    assert refused.out == ""
    assert "http://127.0.0.1:3000" in refused.err
    assert yaml.safe_load(cli(*MANIFEST, "--url", url, "--base-url", URL).out)


@pytest.mark.parametrize(
    "app_id",
    [
        "",
        "406d303d-0393-4ec4-ad7c-1435be94583a",
        "ari:cloud:ecosystem::app/relay",
        "ari:cloud:ecosystem::app/00000000-0000-0000-0000-000000000000",
        f"{APP_ID}\n",
    ],
)
def test_an_invalid_app_id_is_refused(cli: Cli, app_id: str) -> None:
    assert "forge register" in cli("forge", "manifest", "--app-id", app_id, code=2).err


def test_the_app_id_is_required(cli: Cli) -> None:
    assert "--app-id" in cli("forge", "manifest", code=2).err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--base-url", "relay.example.com"),
        ("--base-url", "http://relay.example.com"),
        ("--base-url", "https://"),
        ("--base-url", "https://[relay"),
        ("--base-url", "https://me:secret@relay.example.com"),
        ("--base-url", "https://relay.example.com?x=y"),
        ("--guide-url", "http://docs.example.com"),
        ("--region", "EU"),
        ("--region", "EU=relay.example.com"),
        ("--region", "XX=https://relay.example.com"),
        ("--region", "default=https://relay.example.com"),
        ("--region", "EU=https://a.example", "--region", "EU=https://b.example"),
    ],
)
def test_an_invalid_url_or_region_is_refused(
    cli: Cli, deploy: Deploy, wrong: tuple[str, ...]
) -> None:
    ran = cli(*MANIFEST, "--url", deploy(), *wrong, code=2)

    assert ran.out == ""
    assert wrong[0] in ran.err


@pytest.mark.parametrize(
    "change",
    [
        {"baseUrl": None},
        {"key": "not a key"},
        {"modules": {}},
        {"scopes": ["READ"]},
        {"lifecycle": {}},
    ],
)
def test_an_incomplete_descriptor_yields_no_manifest(cli: Cli, change: dict[str, Any]) -> None:
    with replying(Reply(body=whole() | change)) as server:
        ran = cli(*MANIFEST, "--url", server.url, "--json", code=1)

    assert ran.error_code == "bad_descriptor"
    assert next(iter(change)) in ran.err
    assert ran.out == ""


def test_the_key_is_not_sent_for_public_documents(cli: Cli) -> None:
    with replying(Reply(body=whole())) as server:
        cli(*MANIFEST, "--url", server.url)

    assert server.calls == [("GET", "/atlassian-connect.json")]
    assert "Authorization" not in server.headers[0]


def test_an_unreachable_relay_is_reported(cli: Cli) -> None:
    assert "can't be reached" in cli(*MANIFEST, code=3).err


def regions(*given: str) -> list[str]:
    return [word for one in given for word in ("--region", one)]


def whole() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "atlassian-connect.json").read_text("utf-8"))
    return document
