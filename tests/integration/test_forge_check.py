"""`python -m infra.forge`: generated manifests pass, and broken ones fail, each by name.

Atlassian's validator needs Node.js, npm and a registry, and is fetched once. Without them, these
tests report that.
"""

import copy
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.forge.__main__ import main
from infra.forge.check import check
from infra.forge.samples import URL, samples
from infra.forge.validator import NotFetched, NotHere, Validator, validator
from relay_cli.forge import as_yaml
from tests.support.left_out import leave_out
from tests.support.template import ROOT

Document = dict[str, Any]
OPERATIONS = "jira:jiraOperationsInfoProvider"
LIFECYCLE = "jira:lifecycle"
PAGE = "jira:adminPage"

BROKEN: dict[str, tuple[Callable[[Document], object], str]] = {}


def broken(message: str) -> Callable[[Callable[[Document], object]], None]:
    """Assert that a message matching the pattern reports this change of a manifest."""

    def register(change: Callable[[Document], object]) -> None:
        BROKEN[change.__name__] = (change, message)

    return register


@broken("runtime")
def no_runtime(made: Document) -> None:
    del made["app"]["runtime"]


@broken("allowed values are 'nodejs20.x'")
def unknown_runtime(made: Document) -> None:
    made["app"]["runtime"]["name"] = "python3.13"


@broken("must match pattern")
def app_id_is_invalid(made: Document) -> None:
    made["app"]["id"] = "relay"


@broken(r'"name" property under "app" is deprecated')
def app_with_a_name(made: Document) -> None:
    made["app"]["name"] = "Relay"


@broken("must match pattern")
def connect_key_with_a_space(made: Document) -> None:
    made["app"]["connect"]["key"] = "relay operations"


@broken("must NOT have more than 90 characters")
def connect_key_too_long(made: Document) -> None:
    made["app"]["connect"]["key"] = "r" * 91


@broken("must be equal to one of|allowed values are 'jwt'")
def other_authentication(made: Document) -> None:
    made["app"]["connect"]["authentication"] = "oauth"


@broken("must NOT have more than 23 characters")
def remote_key_too_long(made: Document) -> None:
    text = "r" * 24
    made["remotes"][0]["key"] = made["app"]["connect"]["remote"] = text


@broken("remote")
def connect_without_remote(made: Document) -> None:
    del made["app"]["connect"]["remote"]


@broken("remote")
def no_remotes(made: Document) -> None:
    del made["remotes"]


@broken(r"remotes\.relay\.baseUrl is /relay\. It must be https")
def base_url_relative(made: Document) -> None:
    made["remotes"][0]["baseUrl"] = "/relay"


@broken(r"remotes\.relay\.baseUrl is http://relay.example.com\. It must be https")
def base_url_without_tls(made: Document) -> None:
    made["remotes"][0]["baseUrl"] = "http://relay.example.com"


@broken("trailing slash")
def base_url_with_a_slash(made: Document) -> None:
    made["remotes"][0]["baseUrl"] = f"{URL}/"


@broken(r"remotes\.relay\.EU is http:")
def region_without_tls(made: Document) -> None:
    made["remotes"][0]["baseUrl"] = {"default": URL, "EU": "http://eu.example.com"}


@broken("baseUrl")
def regions_without_default(made: Document) -> None:
    made["remotes"][0]["baseUrl"] = {"EU": URL}


@broken("baseUrl")
def unknown_region(made: Document) -> None:
    made["remotes"][0]["baseUrl"] = {"default": URL, "XX": URL}


@broken("allowed values are 'storage'")
def unknown_operation(made: Document) -> None:
    made["remotes"][0]["operations"] = ["deliver"]


@broken("Invalid 'scopes' permission .* 'read:incidents:jira'")
def unknown_scope(made: Document) -> None:
    made["permissions"]["scopes"].append("read:incidents:jira")


@broken("scope")
def token_without_a_scope_to_use_it(made: Document) -> None:
    made["permissions"]["scopes"] = ["read:app-system-token"]


@broken("should contain only one element")
def two_lifecycles(made: Document) -> None:
    [lifecycle] = made["connectModules"][LIFECYCLE]
    made["connectModules"][LIFECYCLE].append(lifecycle | {"key": "another"})


@broken("jira:lifecycle must have one entry")
def no_lifecycle(made: Document) -> None:
    del made["connectModules"][LIFECYCLE]


@broken("'instaled' was unexpected")
def lifecycle_with_an_unknown_event(made: Document) -> None:
    made["connectModules"][LIFECYCLE][0]["instaled"] = "/lifecycle/installed"


@broken("jira:lifecycle.installed is lifecycle/installed. It must be a path")
def lifecycle_without_a_slash(made: Document) -> None:
    made["connectModules"][LIFECYCLE][0]["installed"] = "lifecycle/installed"


@broken("invalid value 'jira:jiraOperations' in connectModules")
def unknown_connect_module(made: Document) -> None:
    made["connectModules"]["jira:jiraOperations"] = [{"key": "operations"}]


@broken("'searchContainers' is a required property")
def module_without_search_containers(made: Document) -> None:
    del made["connectModules"][OPERATIONS][0]["actions"]["searchContainers"]


@broken("'createPostIncidentReview' was unexpected")
def action_that_forge_does_not_know(made: Document) -> None:
    url = {"url": f"{URL}/post-incident-reviews/new"}
    made["connectModules"][OPERATIONS][0]["actions"]["createPostIncidentReview"] = url


@broken("'templateUrl' is a required property")
def action_without_a_url(made: Document) -> None:
    made["connectModules"][OPERATIONS][0]["actions"]["fetchWorkspaces"] = {"url": "/workspaces"}


@broken(r"jiraOperationsInfoProvider\.fetchWorkspaces is https:.*. It must be a path")
def action_with_an_absolute_url(made: Document) -> None:
    template = {"templateUrl": f"{URL}/workspaces/fetch"}
    made["connectModules"][OPERATIONS][0]["actions"]["fetchWorkspaces"] = template


@broken("'homeUrl' is a required property")
def module_without_home_url(made: Document) -> None:
    del made["connectModules"][OPERATIONS][0]["homeUrl"]


@broken("duplicate module key 'hourly'")
def key_given_twice(made: Document) -> None:
    made["connectModules"][OPERATIONS][0]["key"] = "hourly"


@broken("invalid value 'devops:operationsInfoProvider' in modules")
def module_that_forge_does_not_have(made: Document) -> None:
    made["modules"]["devops:operationsInfoProvider"] = [{"key": "operations"}]


@broken("elsewhere")
def endpoint_to_an_unknown_remote(made: Document) -> None:
    made["modules"]["endpoint"][0]["remote"] = "elsewhere"


@broken("endpoint.forge-installed is None. It must be a path")
def endpoint_without_a_route(made: Document) -> None:
    del made["modules"]["endpoint"][0]["route"]


@broken("undefined endpoint module with key 'nowhere'")
def trigger_to_an_unknown_endpoint(made: Document) -> None:
    made["modules"]["trigger"][0]["endpoint"] = "nowhere"


@broken("undefined endpoint module with key 'nowhere'")
def farewell_to_an_unknown_endpoint(made: Document) -> None:
    made["modules"]["preUninstall"][0]["endpoint"] = "nowhere"


@broken("allowed values are 'fiveMinute'")
def unknown_interval(made: Document) -> None:
    made["modules"]["scheduledTrigger"][0]["interval"] = "hourly"


@broken("elsewhere")
def residency_of_an_unknown_remote(made: Document) -> None:
    made["modules"]["migration:dataResidency"][0]["remote"] = "elsewhere"


@broken("allowed values are 'YES'")
def promise_that_is_not_a_word(made: Document) -> None:
    made["modules"]["connectToForgeMigration"][0]["willMigrateToForgeBeforeEOS"] = True


@broken("must match pattern")
def guide_without_tls(made: Document) -> None:
    made["modules"]["connectToForgeMigration"][0]["migrationGuideUrl"] = "http://docs.example.com"


@broken("resource is nothing, which resources does not have")
def page_without_its_resource(made: Document) -> None:
    made["modules"][PAGE][0]["resource"] = "nothing"


@broken("resource is relay-page, which resources does not have")
def no_resources(made: Document) -> None:
    del made["resources"]


@broken("relay-page/dist")
def resource_without_a_folder(made: Document) -> None:
    made["resources"][0]["path"] = "static/relay-page/dist"


@broken("jira:adminPage has the key my-page. Relay accepts the page's calls from")
def page_whose_key_relay_refuses(made: Document) -> None:
    made["modules"][PAGE][0]["key"] = "my-page"


@broken("invalid value 'jira:adminPages' in modules")
def page_module_with_a_wrong_name(made: Document) -> None:
    made["modules"]["jira:adminPages"] = made["modules"].pop(PAGE)


@broken("resolver.endpoint is nowhere, which modules.endpoint does not have")
def page_with_an_unknown_endpoint(made: Document) -> None:
    made["modules"][PAGE][0]["resolver"] = {"endpoint": "nowhere"}


@broken("resolver.endpoint is None, which modules.endpoint does not have")
def page_without_an_endpoint(made: Document) -> None:
    del made["modules"][PAGE][0]["resolver"]


@broken("endpoint has the key forge-tick. Relay accepts calls from relay-admin-page, relay-page")
def page_with_the_endpoint_of_a_trigger(made: Document) -> None:
    made["modules"][PAGE][0]["resolver"] = {"endpoint": "forge-tick"}


@broken("must have no route")
def page_with_a_fixed_path(made: Document) -> None:
    made["modules"]["endpoint"][-1]["route"] = {"path": "/page/site"}


@broken("must be canAdministerJira")
def page_for_everyone(made: Document) -> None:
    del made["modules"][PAGE][0]["displayConditions"]


@broken("canAdminister")
def unknown_display_condition(made: Document) -> None:
    made["modules"][PAGE][0]["displayConditions"] = {"canAdminister": True}


@broken("connectModules.jira:adminPages must be left out: Jira would show the page twice")
def page_of_connect_too(made: Document) -> None:
    page = {"key": "connect-page", "name": {"value": "Relay"}, "url": "/page"}
    made["connectModules"]["jira:adminPages"] = [page]


@pytest.fixture(scope="module")
def tool() -> Validator:
    try:
        return validator()
    except (NotHere, NotFetched) as missing:
        leave_out(f"The Forge manifest is not checked here: {missing}")


@pytest.fixture(scope="module")
def wrong(tool: Validator) -> Mapping[str, list[str]]:
    """The findings for every broken manifest, checked in one run because Node starts slowly."""
    whole = dict(samples())["with a migration guide"].document
    texts = {"nothing": as_yaml(whole, URL)}
    for name, (change, _) in BROKEN.items():
        document = copy.deepcopy(dict(whole))
        change(document)
        texts[name] = as_yaml(document, URL)
    return check(texts, tool)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_manifest_fails_with_a_message(wrong: Mapping[str, list[str]], name: str) -> None:
    messages = wrong[name]

    assert any(re.search(BROKEN[name][1], message) for message in messages), messages


def test_a_valid_manifest_has_no_findings(wrong: Mapping[str, list[str]]) -> None:
    assert "nothing" not in wrong


def test_a_file_that_is_no_manifest_fails(tool: Validator) -> None:
    texts = {"empty": "", "a list": "[]", "without parts": "app: {}", "scrambled": "remotes: [7]"}

    assert check(texts, tool).keys() == texts.keys()


@pytest.mark.usefixtures("tool")
def test_every_generated_manifest_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "13.7.0" in said.out
    assert all(name in said.out for name, _ in samples())


@pytest.mark.usefixtures("tool")
def test_without_a_registry_the_check_is_skipped_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))

    assert main(tmp_path / "forge") == 0
    said = capsys.readouterr()
    assert "was not checked: npm could not fetch" in said.out
    assert [path.name for path in (tmp_path / "forge").iterdir()] == ["npm.log"]


def test_without_node_the_check_is_skipped_with_a_message(tmp_path: Path) -> None:
    done = run(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The Forge manifest was not checked: ")
    assert "this machine has no node" in done.stdout
    assert done.stdout.count("\n") == 1


def test_an_old_node_counts_as_missing(tmp_path: Path) -> None:
    for name in ("node", "npm"):
        tool = tmp_path / name
        tool.write_text("#!/bin/sh\necho v18.20.4\n")
        tool.chmod(0o700)

    done = run(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert "v18.20.4" in done.stdout


def run(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the check like `make` does, with only this folder on the path."""
    return subprocess.run(
        [sys.executable, "-m", "infra.forge"],
        cwd=ROOT,
        env={"PATH": str(path), "PYTHONPATH": "shared:cli:.", "CI": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
