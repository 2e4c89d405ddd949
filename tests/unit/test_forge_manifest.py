"""The Forge manifest matches the descriptor, wherever Forge supports it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relay.identity.forge_modules import PAGE
from relay_cli.forge import as_yaml
from relay_cli.manifest import COMPONENTS, REGIONS, Deployment, Manifest, manifest_of
from tests.support.template import ROOT, functions, routes

DESCRIPTOR: dict[str, Any] = json.loads((ROOT / "atlassian-connect.json").read_text("utf-8"))
OPERATIONS = "jiraOperationsInfoProvider"
APP_ID = "ari:cloud:ecosystem::app/406d303d-0393-4ec4-ad7c-1435be94583a"
URL = "https://relay.acme.example"
SERVED = {path for function in functions() for _, path in routes(function)}


def descriptor(**fields: Any) -> dict[str, Any]:
    return copy.deepcopy(DESCRIPTOR) | fields


def without(*modules: str) -> dict[str, Any]:
    kept = {name: one for name, one in DESCRIPTOR["modules"].items() if name not in modules}
    return descriptor(modules=kept)


def made(of: dict[str, Any] = DESCRIPTOR, **deployment: Any) -> Manifest:
    return manifest_of(of, Deployment(**{"app_id": APP_ID, "base_url": URL} | deployment))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def test_the_app_is_the_one_installed_under_connect() -> None:
    app = made(descriptor(key="acme.relay")).document["app"]

    assert app["id"] == APP_ID
    assert app["connect"] == {"key": "acme.relay", "remote": "relay", "authentication": "jwt"}


def test_the_connect_modules_are_the_descriptors() -> None:
    connect = made(base_url=DESCRIPTOR["baseUrl"]).document["connectModules"]

    assert list(connect) == ["jira:lifecycle", f"jira:{OPERATIONS}", f"jira:{COMPONENTS}"]
    [lifecycle] = connect["jira:lifecycle"]
    assert lifecycle.items() >= DESCRIPTOR["lifecycle"].items()
    [operations] = connect[f"jira:{OPERATIONS}"]
    own = copy.deepcopy(DESCRIPTOR["modules"][OPERATIONS])
    del own["actions"]["createPostIncidentReview"]
    assert operations == own
    assert connect[f"jira:{COMPONENTS}"] == [DESCRIPTOR["modules"][COMPONENTS]]


def test_an_action_unknown_to_forge_is_left_out_and_reported() -> None:
    [message] = made(guide_url="https://docs.example.com").left_out

    assert "createPostIncidentReview" in message
    module = copy.deepcopy(DESCRIPTOR["modules"][OPERATIONS])
    del module["actions"]["createPostIncidentReview"]
    silent = made(descriptor(modules={OPERATIONS: module}), guide_url="https://docs.example.com")
    assert silent.left_out == ()


def test_the_components_module_and_scopes_are_included_only_if_deployed() -> None:
    deployed = made().document
    not_deployed = made(without(COMPONENTS)).document

    assert "write:devops-component-info:jira" in deployed["permissions"]["scopes"]
    assert f"jira:{COMPONENTS}" not in not_deployed["connectModules"]
    assert not [one for one in not_deployed["permissions"]["scopes"] if "component" in one]


def test_the_descriptors_scopes_are_declared_for_both_identities() -> None:
    assert made(without(COMPONENTS)).document["permissions"]["scopes"] == [
        "read:connect-jira",
        "write:connect-jira",
        "delete:connect-jira",
        "read:operations-info:jira",
        "write:operations-info:jira",
        "delete:operations-info:jira",
        "read:permission:jira",
        "read:app-system-token",
    ]
    less = made(descriptor(scopes=["READ", "ACT_AS_USER"])).document["permissions"]["scopes"]
    assert less == [
        "read:connect-jira",
        "act-as-user:connect-jira",
        "read:operations-info:jira",
        "read:devops-component-info:jira",
        "read:permission:jira",
        "read:app-system-token",
    ]


@given(
    host=st.from_regex(r"[a-z][a-z0-9-]{0,20}\.example\.org", fullmatch=True),
    path=st.from_regex(r"(/[a-zA-Z0-9._~-]{1,10}){0,3}", fullmatch=True),
)
def test_every_url_is_the_deployments(host: str, path: str) -> None:
    base_url = f"https://{host}{path}"

    document = made(base_url=base_url).document

    urls = [text for text in texts(document) if "://" in text]
    assert len(urls) > 3
    assert all(url.startswith(base_url) for url in urls)
    assert all(url.partition(base_url)[2][:1] in ("", "/") for url in urls)


def test_without_regions_there_is_one_url_for_all() -> None:
    assert made().document["remotes"][0]["baseUrl"] == URL


def test_each_region_has_its_own_url_and_the_others_the_default() -> None:
    regions = {region: f"https://{region.lower()}.acme.example" for region in REGIONS}

    document = made(regions=regions).document

    assert document["remotes"][0]["baseUrl"] == {"default": URL, **regions}
    [operations] = document["connectModules"][f"jira:{OPERATIONS}"]
    assert operations["homeUrl"] == f"{URL}/about"


def test_every_event_calls_an_endpoint_with_the_token() -> None:
    modules = made().document["modules"]
    endpoints = {one["key"]: one for one in modules["endpoint"]}

    def path(entry: dict[str, Any]) -> str:
        endpoint = endpoints.pop(entry["endpoint"])
        assert endpoint["remote"] == "relay"
        assert endpoint["auth"] == {"appSystemToken": {"enabled": True}}
        return str(endpoint["route"]["path"])

    assert {one["events"][0]: path(one) for one in modules["trigger"]} == {
        "avi:forge:installed:app": "/forge/installed",
        "avi:forge:upgraded:app": "/forge/upgraded",
    }
    assert [path(one) for one in modules["preUninstall"]] == ["/forge/uninstalled"]
    assert [(path(one), one["interval"]) for one in modules["scheduledTrigger"]] == [
        ("/forge/tick", "hour")
    ]
    assert endpoints.keys() == {"relay-page"}


def test_admins_have_the_page_once_and_it_calls_relay_by_forge() -> None:
    document = made().document

    [page] = document["modules"]["jira:adminPage"]
    assert page["displayConditions"] == {"canAdministerJira": True}
    [resource] = document["resources"]
    assert resource == {"key": page["resource"], "path": "static/relay-page/build"}
    [endpoint] = [
        one for one in document["modules"]["endpoint"] if one["key"] == page["resolver"]["endpoint"]
    ]
    # Without a route, the page names the path of each call. It needs no token for Jira's API.
    assert endpoint == {"key": "relay-page", "remote": "relay"}
    assert {page["key"], endpoint["key"]} == PAGE.keys
    assert {"webSections", "adminPages", "configurePage"} <= DESCRIPTOR["modules"].keys()
    assert not [name for name in document["connectModules"] if "age" in name or "ection" in name]


def test_a_relay_without_the_page_has_a_manifest_without_it() -> None:
    document = made(without("adminPages", "configurePage", "webSections")).document

    assert "jira:adminPage" not in document["modules"]
    assert "resources" not in document
    assert "read:permission:jira" not in document["permissions"]["scopes"]
    assert "relay-page" not in [one["key"] for one in document["modules"]["endpoint"]]


def test_migrations_between_regions_have_their_own_calls() -> None:
    [residency] = made().document["modules"]["migration:dataResidency"]

    assert (residency["remote"], residency["path"]) == ("relay", "/forge/migrations")


def test_connects_paths_are_served_by_the_remote() -> None:
    connect = made().document["connectModules"]
    [lifecycle], [operations] = connect["jira:lifecycle"], connect[f"jira:{OPERATIONS}"]

    assert {lifecycle[event] for event in ("installed", "uninstalled")} <= SERVED
    assert {action["templateUrl"] for action in operations["actions"].values()} <= SERVED


def test_keys_are_unique() -> None:
    document = made(guide_url="https://docs.example.com").document
    lists = [*document["connectModules"].values(), *document["modules"].values()]
    keys = [entry["key"] for entries in lists for entry in entries]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("documentation", "given_url", "guide"),
    [
        ("https://docs.example.com/relay", None, "https://docs.example.com/relay"),
        (
            "https://docs.example.com/relay",
            "https://docs.example.com/x",
            "https://docs.example.com/x",
        ),
        (DESCRIPTOR["baseUrl"], "https://docs.example.com/x", "https://docs.example.com/x"),
        # The app's own page does not describe a migration.
        (f"{DESCRIPTOR['baseUrl']}/about", None, None),
        (DESCRIPTOR["baseUrl"], None, None),
        (f"{DESCRIPTOR['baseUrl']}/", None, None),
        ("http://docs.example.com", None, None),
        (None, None, None),
    ],
)
def test_the_migration_guide_is_a_page_or_left_out_and_reported(
    documentation: str | None, given_url: str | None, guide: str | None
) -> None:
    changed = descriptor()
    changed["modules"][OPERATIONS]["documentationUrl"] = documentation
    if documentation is None:
        del changed["modules"][OPERATIONS]["documentationUrl"]

    manifest = made(changed, guide_url=given_url)

    entries = manifest.document["modules"].get("connectToForgeMigration", [])
    assert [entry["migrationGuideUrl"] for entry in entries] == ([guide] if guide else [])
    assert any("--guide-url" in message for message in manifest.left_out) == (guide is None)


def test_the_yaml_loads_back_to_the_same_manifest() -> None:
    document = made(guide_url="https://docs.example.com", regions={"EU": URL}).document

    text = as_yaml(document, URL)

    assert yaml.safe_load(text) == document
    assert text.startswith(
        f"# Made by `relay forge manifest` of {URL}/atlassian-connect.json\napp:"
    )
    # YAML aliases are hard to read, and not every tool supports them.
    assert " &" not in text
    # YAML 1.1 reads the bare word as a boolean.
    assert "willMigrateToForgeBeforeEOS: 'YES'" in text


def test_the_descriptor_is_unchanged() -> None:
    given_descriptor = descriptor()

    made(given_descriptor)

    assert given_descriptor == DESCRIPTOR
