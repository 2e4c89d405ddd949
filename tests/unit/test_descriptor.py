"""atlassian-connect.json against Jira's documented rules, and against the template."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.template import ROOT, functions, routes

DESCRIPTOR: dict[str, Any] = json.loads((ROOT / "atlassian-connect.json").read_text("utf-8"))
PROVIDER: dict[str, Any] = DESCRIPTOR["modules"]["jiraOperationsInfoProvider"]
PROVIDERS = ("jiraOperationsInfoProvider", "jiraDevOpsComponentProvider")
MODULES = [DESCRIPTOR["modules"][name] for name in PROVIDERS]
# What leads to the page inside Jira.
SECTION: dict[str, Any] = DESCRIPTOR["modules"]["webSections"][0]
PAGES = [*DESCRIPTOR["modules"]["adminPages"], DESCRIPTOR["modules"]["configurePage"]]
SERVED = {route for function in functions() for route in routes(function)}


def test_the_descriptor_requires_signed_installs() -> None:
    assert DESCRIPTOR["authentication"] == {"type": "jwt"}
    assert DESCRIPTOR["apiMigrations"] == {"signed-install": True, "context-qsh": True}


def test_only_the_scopes_of_the_operations_api_are_requested() -> None:
    assert sorted(DESCRIPTOR["scopes"]) == ["DELETE", "READ", "WRITE"]


@pytest.mark.parametrize("event", ["installed", "uninstalled", "enabled", "disabled"])
def test_every_lifecycle_event_leads_to_a_route(event: str) -> None:
    assert ("POST", DESCRIPTOR["lifecycle"][event]) in SERVED


@pytest.mark.parametrize("module", MODULES)
def test_module_properties_are_within_jiras_limits(module: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,100}", module["key"])
    assert 0 < len(module["name"]["value"]) <= 1500
    for link in ("homeUrl", "logoUrl", "documentationUrl"):
        assert urlsplit(module[link]).scheme == "https"


def test_the_providers_name_is_translatable() -> None:
    assert 0 < len(PROVIDER["name"]["i18n"]) <= 300


def test_module_keys_are_unique_in_the_app() -> None:
    every = [*MODULES, SECTION, *PAGES]
    assert len({module["key"] for module in every}) == len(every)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["key"])
def test_a_page_inside_jira_leads_to_a_route_and_is_for_admins(page: dict[str, Any]) -> None:
    """developer.atlassian.com/cloud/jira/software/modules/admin-page"""
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,100}", page["key"])
    assert ("GET", page["url"]) in SERVED
    assert page["conditions"] == [{"condition": "user_is_admin"}]


def test_the_admin_page_is_in_a_section_of_the_app_among_jiras_apps() -> None:
    """developer.atlassian.com/cloud/jira/platform/administration-ui-locations"""
    [page] = DESCRIPTOR["modules"]["adminPages"]
    assert SECTION["location"] == "admin_plugins_menu"
    assert page["location"] == f"{SECTION['location']}/{SECTION['key']}"


def test_no_module_is_unknown_to_these_tests() -> None:
    known = {*PROVIDERS, "webSections", "adminPages", "configurePage"}
    assert set(DESCRIPTOR["modules"]) == known


@pytest.mark.parametrize("action", ["associate", "disassociate"])
def test_the_components_module_has_the_actions_that_jira_requires(action: str) -> None:
    """developer.atlassian.com/cloud/jira/software/modules/devops-component-actions, and the schema
    of the module in npm's @forge/manifest."""
    module = DESCRIPTOR["modules"]["jiraDevOpsComponentProvider"]
    assert ("POST", module["actions"][action]["templateUrl"]) in SERVED


@pytest.mark.parametrize(
    "url",
    [DESCRIPTOR["vendor"]["url"]]
    + [module[name] for module in MODULES for name in ("homeUrl", "documentationUrl", "logoUrl")],
)
def test_every_named_page_exists(url: str) -> None:
    assert ("GET", url.removeprefix(DESCRIPTOR["baseUrl"])) in SERVED


@pytest.mark.parametrize(
    ("action", "method"),
    [
        ("fetchWorkspaces", "POST"),
        ("searchContainers", "GET"),
        ("onEntityAssociated", "PUT"),
        ("onEntityDisassociated", "PUT"),
    ],
)
def test_every_action_leads_to_a_route(action: str, method: str) -> None:
    assert (method, PROVIDER["actions"][action]["templateUrl"]) in SERVED


def test_the_review_action_is_a_link_with_jiras_placeholders() -> None:
    url = PROVIDER["actions"]["createPostIncidentReview"]["url"]
    assert urlsplit(url).path == "/post-incident-reviews/new"
    assert {("GET", "/post-incident-reviews/new"), ("POST", "/post-incident-reviews/new")} <= SERVED
    assert "{component-id}" in url
    assert "{incident-id}" in url


def test_every_url_is_the_apps_own() -> None:
    text = json.dumps(DESCRIPTOR)
    found = re.findall(r"https?://[^\"/?]+", text)
    assert set(found) == {DESCRIPTOR["baseUrl"]}
