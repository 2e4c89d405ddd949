"""DevOps components in the Jira simulator: their own API, with the same mechanism."""

import itertools
import re
from typing import Any

import httpx
import pytest

from tests.integration.simulator_stage import (
    COMPONENTS,
    OPERATIONS,
    JiraSite,
    ProviderApp,
    Simulator,
    component,
)
from tests.support.entities import incident, review

BY_ID = "/devopscomponents"
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def settings(simulator: Simulator) -> None:
    simulator.set(visibleAfterSeconds=0, maxBodyBytes=5 * 1024 * 1024)


@pytest.fixture
def site(simulator: Simulator, app: ProviderApp) -> JiraSite:
    return install(simulator, app)


def install(simulator: Simulator, app: ProviderApp) -> JiraSite:
    name = f"site-{next(_numbers)}"
    simulator.create(name)
    answer = simulator.install(name, app)
    assert answer.status_code == 200, answer.text
    return JiraSite(simulator, answer.json()["site"])


def get(site: JiraSite, component_id: str) -> httpx.Response:
    return site.call("GET", f"{BY_ID}/{component_id}", api=COMPONENTS)


# --- Submitting ---


def test_submitted_components_are_accepted_and_read_back(site: JiraSite) -> None:
    other = component("search/index", providerName="Ops")
    answer = site.submit_components(
        component(), other, properties={"team": "a"}, providerMetadata={"product": "Test 1"}
    )
    assert answer.status_code == 202
    assert answer.json() == {"acceptedComponents": ["checkout-api", "search/index"]}
    assert get(site, "checkout-api").json() == component()
    assert get(site, "search%2Findex").json() == other
    held = site.entities("component")
    assert held["entities"] == [component(), other]
    assert held["properties"]["checkout-api"] == {"team": "a"}


def test_a_full_submission_is_accepted_and_one_more_is_not(site: JiraSite) -> None:
    components = [component(f"c-{number}") for number in range(1001)]
    assert site.submit_components(*components).status_code == 400
    assert len(site.submit_components(*components[1:]).json()["acceptedComponents"]) == 1000
    assert site.refresh()["components"] == {"visible": 1000, "pending": 0}


WRONG_FIELDS: list[dict[str, Any]] = [
    {"id": "c" * 256},
    {"id": ""},
    {"schemaVersion": "1.1"},
    {"updateSequenceNumber": "1"},
    {"name": "n" * 256},
    {"name": None},
    {"description": "d" * 5001},
    {"url": "/services/checkout-api"},
    {"avatarUrl": "service.png"},
    {"avatarUrl": "https://x/" + "a" * 2000},
    {"tier": "Tier 5"},
    {"tier": 1},
    {"componentType": "service"},
    {"lastUpdated": "2026-01-30"},
    {"providerName": "p" * 256},
    {"summary": "Checkout API"},
    {"associations": []},
]


@pytest.mark.parametrize("fields", WRONG_FIELDS, ids=lambda fields: str(fields)[:40])
def test_an_invalid_field_fails_its_component_only(site: JiraSite, fields: dict[str, Any]) -> None:
    wrong = component("wrong") | fields
    answer = site.submit_components(component("good"), wrong)
    assert answer.status_code == 202
    assert answer.json()["acceptedComponents"] == ["good"]
    assert list(answer.json()) == ["acceptedComponents", "failedComponents"]
    (errors,) = answer.json()["failedComponents"].values()
    assert all(error["message"] and error["errorTraceId"] for error in errors)


@pytest.mark.parametrize("field", sorted(set(component()) - {"id"}))
def test_a_missing_field_fails_the_component(site: JiraSite, field: str) -> None:
    wrong = component()
    del wrong[field]
    failed = site.submit_components(wrong).json()["failedComponents"]["checkout-api"]
    assert field in failed[0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"devopsComponents": []},
        {"devopsComponents": [{"name": "x"}]},
        {"components": [component()]},
        {"incidents": [incident()]},
        {"devopsComponents": [component()], "incidents": [incident()]},
        {"devopsComponents": [component()], "properties": {"_a": "b"}},
        {"devopsComponents": [component()], "providerMetadata": {"more": "x"}},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_malformed_request_is_400(site: JiraSite, body: Any) -> None:
    answer = site.call("POST", "/bulk", api=COMPONENTS, json=body)
    assert answer.status_code == 400
    assert all(error["message"] and error["errorTraceId"] for error in answer.json())
    assert site.entities("component")["entities"] == []


def test_each_api_accepts_its_own_kinds_only(site: JiraSite) -> None:
    body = {"devopsComponents": [component()]}
    assert site.call("POST", "/bulk", api=OPERATIONS, json=body).status_code == 400
    assert site.call("GET", "/incidents/inc-1", api=COMPONENTS).status_code == 404
    assert site.call("GET", f"{BY_ID}/x", api=OPERATIONS).status_code == 404
    assert site.call("GET", "/linkedWorkspaces", api=COMPONENTS).status_code == 404
    assert site.call("GET", "/bulk", api=COMPONENTS).status_code == 405


def test_a_body_over_the_limit_is_413(simulator: Simulator, site: JiraSite) -> None:
    simulator.set(maxBodyBytes=100)
    assert site.submit_components(component()).status_code == 413


def test_only_a_greater_sequence_replaces(site: JiraSite) -> None:
    site.submit_components(component(sequence=5, name="five"))
    for sequence in (4, 5):
        answer = site.submit_components(component(sequence=sequence, name="stale"))
        assert answer.json() == {"acceptedComponents": ["checkout-api"]}
    assert get(site, "checkout-api").json()["name"] == "five"
    site.submit_components(component(sequence=6, name="six"))
    assert get(site, "checkout-api").json()["name"] == "six"


# --- Deletion and visibility ---


def test_a_component_may_be_deleted_twice(site: JiraSite) -> None:
    site.submit_components(component("a/b"), component())
    for _ in range(2):
        deleted = site.call("DELETE", f"{BY_ID}/a%2Fb", api=COMPONENTS)
        assert (deleted.status_code, deleted.content) == (202, b"")
    assert get(site, "a%2Fb").status_code == 404
    assert get(site, "checkout-api").status_code == 200


def test_properties_delete_only_the_apis_own_kinds(site: JiraSite) -> None:
    named = {"properties": {"team": "a"}}
    site.submit(incident(), reviews=[review()], **named)
    site.submit_components(component("mine"), **named)
    site.submit_components(component("other"), properties={"team": "b"})

    answer = site.call("DELETE", "/bulkByProperties?team=a", api=COMPONENTS)
    assert (answer.status_code, answer.content) == (202, b"")
    assert [one["id"] for one in site.entities("component")["entities"]] == ["other"]
    assert len(site.entities("incident")["entities"]) == 1
    assert site.call("DELETE", "/bulkByProperties?team=b").status_code == 202
    assert len(site.entities("component")["entities"]) == 1
    assert site.call("DELETE", "/bulkByProperties", api=COMPONENTS).status_code == 400


def test_a_change_is_visible_after_its_202(simulator: Simulator, site: JiraSite) -> None:
    simulator.set(visibleAfterSeconds=60)
    site.submit_components(component())
    assert get(site, "checkout-api").status_code == 404
    assert site.refresh()["components"] == {"visible": 0, "pending": 1}
    assert site.entities("component")["pending"] == ["checkout-api"]
    assert "1 accepted change not visible yet" in site.page().text
    simulator.set(visibleAfterSeconds=0)
    assert get(site, "checkout-api").status_code == 200


def test_an_uninstall_forgets_components_too(simulator: Simulator, site: JiraSite) -> None:
    site.submit_components(component())
    simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    assert simulator.site(site.name)["components"] == {"visible": 0, "pending": 0}


# --- Permissions ---


def test_each_api_requires_its_own_module(simulator: Simulator, app: ProviderApp) -> None:
    modules = app.descriptor()["modules"]
    for name, allowed in {
        "jiraDevOpsComponentProvider": (403, 202),
        "jiraOperationsInfoProvider": (202, 403),
    }.items():
        app.changes["modules"] = {name: modules[name]}
        site = install(simulator, app)
        assert site.document["app"]["modules"] == [name]
        assert (
            site.submit(incident()).status_code,
            site.submit_components(component()).status_code,
        ) == allowed
    assert "jiraDevOpsComponentProvider" in get(site, "x").json()[0]["message"]
    assert "jiraDevOpsComponentProvider" in site.page(view="components").text


@pytest.mark.parametrize("missing", ["READ", "WRITE", "DELETE"])
def test_without_its_scope_a_call_is_403(
    simulator: Simulator, app: ProviderApp, missing: str
) -> None:
    app.changes["scopes"] = sorted({"READ", "WRITE", "DELETE"} - {missing})
    site = install(simulator, app)
    statuses = {
        "READ": get(site, "checkout-api").status_code,
        "WRITE": site.submit_components(component()).status_code,
        "DELETE": site.call("DELETE", f"{BY_ID}/checkout-api", api=COMPONENTS).status_code,
    }
    assert {scope for scope, status in statuses.items() if status == 403} == {missing}


def test_without_a_token_for_the_call_it_is_401(site: JiraSite) -> None:
    wrong: list[dict[str, Any]] = [
        {"headers": {}},
        {"claims": {"qsh": "0" * 64}},
        {"claims": {"iss": "other"}},
    ]
    for options in wrong:
        answer = site.call("GET", f"{BY_ID}/x", api=COMPONENTS, **options)
        assert answer.status_code == 401


@pytest.mark.parametrize("missing", ["key", "name", "homeUrl"])
def test_an_incomplete_component_module_is_not_installed(
    simulator: Simulator, app: ProviderApp, missing: str
) -> None:
    modules = app.descriptor()["modules"]
    del modules["jiraDevOpsComponentProvider"][missing]
    app.changes["modules"] = modules
    name = f"site-{next(_numbers)}"
    simulator.create(name)
    answer = simulator.install(name, app)
    assert answer.status_code == 400
    assert missing in answer.json()["error"]


# --- Calls and pages ---


def test_calls_are_counted_with_their_components(simulator: Simulator, site: JiraSite) -> None:
    site.submit_components(component(), component("search"))
    site.submit(incident())
    get(site, "search")
    site.call("DELETE", f"{BY_ID}/search", api=COMPONENTS)
    site.call("DELETE", "/bulkByProperties?a=b", api=COMPONENTS)

    counts = simulator.control("GET", "/calls").json()["counts"][site.name]
    assert counts == {
        "submitComponents": {"202": 1},
        "submitEntity": {"202": 1},
        "getComponentById": {"200": 1},
        "deleteComponentById": {"202": 1},
        "deleteComponentsByProperty": {"202": 1},
    }
    calls = simulator.calls(site.name)
    assert [call["components"] for call in calls] == [2, 0, 0, 0, 0]
    assert [call["entities"] for call in calls] == [2, 1, 0, 0, 0]


def chips(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    (cell,) = re.findall(r'data-label="Components">(.*?)</td>', page.text, re.DOTALL)
    return re.findall(r"<li .*?</li>", cell)


def test_an_incident_shows_its_components_by_name(site: JiraSite) -> None:
    site.submit(incident(affectedComponents=["checkout-api", "unheard-of", "odd"]))
    assert chips(site.page())[0] == '<li title="checkout-api">checkout-api</li>'

    site.submit_components(component(), component("odd", name="", url="ops:odd"))
    url = "https://ops.example.com/services/checkout-api"
    assert chips(site.page()) == [
        f'<li title="checkout-api"><a href="{url}" rel="noopener noreferrer">Checkout API</a></li>',
        '<li title="unheard-of">unheard-of</li>',
        '<li title="odd"><span>odd</span></li>',
    ]
    assert chips(site.page(q="checkout api"))
    assert "Nothing matches" in site.page(q="checkout apis").text


def test_components_have_a_list_of_their_own(site: JiraSite) -> None:
    assert "/rest/devopscomponents/1.0/bulk" in site.page(view="components").text
    components = [component(f"c-{number}", name=f"Service {number:02}") for number in range(60)]
    site.submit_components(*reversed(components))
    site.submit(incident(affectedComponents=["c-0", "c-0"]))

    page = site.page(view="components").text
    names = re.findall(r'<a class="title" [^>]*>([^<]*)</a>', page)
    assert names == [f"Service {number:02}" for number in range(50)]
    assert "?view=incidents&amp;id=inc-1" in page
    assert page.count("<strong>orders</strong>") == 50
    assert 'name="status"' not in page
    assert "of 60" in page
    assert "Service 59" in site.page(view="components", page=2).text
    assert "of 1<" in site.page(view="components", q="service 07").text
    assert "of 1<" in site.page(view="components", id="c-7").text


def test_component_content_is_escaped(site: JiraSite) -> None:
    attack = "<script>alert(1)</script>"
    site.submit_components(
        component(name=attack, description=attack, url="javascript:alert(1)"),
    )
    site.submit(incident())
    for page in (site.page(), site.page(view="components")):
        assert "&lt;script&gt;" in page.text
        assert "<script" not in page.text
        assert 'href="javascript' not in page.text
