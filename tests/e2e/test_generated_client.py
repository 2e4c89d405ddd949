"""A client generated from docs/openapi.json does the main job on the stack."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from infra.local.story import Story
from tests.support.generated_client import generated_client

BEGUN = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    with generated_client(tmp_path_factory.mktemp("client")) as package:
        yield package


class Tool:
    """An operations tool written with the generated client: only models, no JSON."""

    def __init__(self, package: ModuleType, story: Story) -> None:
        self.package = package.__name__
        self.models = import_module(f"{self.package}.models")
        self.workspace = story.tenancy.workspace_id
        self.client = package.AuthenticatedClient(
            base_url=story.stack.api,
            token=story.tenancy.api_key,
            raise_on_unexpected_status=True,
            httpx_args={"trust_env": False},
        )

    def call(self, area: str, name: str, *ids: str, **parameters: Any) -> Any:
        module = import_module(f"{self.package}.api.{area}.{name}")
        return module.sync(*ids, client=self.client, **parameters)

    def incident(self, incident_id: str, **fields: Any) -> Any:
        models = self.models
        known = {
            "schema_version": "1.0",
            "id": incident_id,
            "update_sequence_number": 1769851800000,
            "affected_components": ["checkout-api"],
            "summary": "Checkout answers slowly",
            "description": "**Investigating** since 09:30.",
            "url": f"https://ops.example.com/incidents/{incident_id}",
            "created_date": BEGUN,
            "last_updated": BEGUN,
            "severity": models.Severity(level=models.SeverityLevel.P2),
            "status": models.IncidentStatus.OPEN,
        }
        return models.Incident(**known | fields)

    def submit(self, *incidents: Any) -> Any:
        properties = self.models.SubmissionRequestPropertiesType0()
        properties["region"] = "eu"
        body = self.models.SubmissionRequest(
            incidents=list(incidents),
            properties=properties,
            provider_metadata=self.models.ProviderMetadata(product="Ops Tool"),
        )
        return self.call("submissions", "submit", self.workspace, body=body)


@pytest.fixture
def tool(package: ModuleType, story: Story) -> Iterator[Tool]:
    tool = Tool(package, story)
    with tool.client:
        yield tool


def test_an_incident_is_submitted_and_read_back(tool: Tool, story: Story) -> None:
    models, incident = tool.models, tool.incident("inc-1")

    verdicts = tool.submit(incident)
    assert isinstance(verdicts, models.SubmissionVerdicts)
    assert (verdicts.accepted, verdicts.rejected) == (1, 0)
    assert story.wait_for_delivery(1)
    found = tool.call("entities", "get_incident", tool.workspace, "inc-1", confirm=True)

    assert isinstance(found, models.RecordedIncident)
    assert found.entity == incident
    assert found.properties["region"] == "eu"
    assert found.provider_metadata.product == "Ops Tool"
    assert found.correlation_id == verdicts.submission_id.partition("-")[2]
    [sighting] = found.timeline
    assert (sighting.at, sighting.status.value) == (BEGUN, "open")
    [site] = found.sites
    assert site.state is models.OutcomeState.ACCEPTED
    assert isinstance(site.jira, models.IncidentInJira)
    assert (site.jira.id, site.jira.summary) == ("inc-1", incident.summary)
    assert (site.jira.severity.level, site.jira.status) == ("P2", "open")


def test_a_refusal_says_why(tool: Tool) -> None:
    models = tool.models

    refused = tool.submit(tool.incident("inc-1", summary="x" * 256))
    unknown = tool.call("entities", "get_incident", tool.workspace, "inc-1")

    [verdict] = refused.verdicts
    assert (verdict.id, verdict.kind, verdict.verdict.value) == (
        "inc-1",
        models.Kind.INCIDENT,
        "rejected",
    )
    [detail] = verdict.details
    assert (detail.path, detail.rule) == ("incidents[0].summary", "string_too_long")
    assert isinstance(unknown, models.Error)
    assert unknown.error.code == "unknown_entity"


def test_a_list_is_read_page_by_page(tool: Tool, story: Story) -> None:
    assert tool.submit(*(tool.incident(f"inc-{number}") for number in range(3))).accepted == 3
    assert story.wait_for_delivery(3)

    ids: list[str] = []
    following: dict[str, str] = {}
    while True:
        page = tool.call("entities", "list_entities", tool.workspace, limit=2, **following)
        assert isinstance(page, tool.models.EntityPage)
        ids += [entity.id for entity in page.entities]
        if not isinstance(page.next_, str):
            break
        following = {"after": page.next_}

    assert sorted(ids) == ["inc-0", "inc-1", "inc-2"]
