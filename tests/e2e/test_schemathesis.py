"""Thousands of calls that follow the OpenAPI document, and thousands that nearly do, on the stack.

Every response is a documented one, and none is a failure of Relay.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.local.story import Story
from infra.openapi.__main__ import PATH
from infra.openapi.operation import Caller
from infra.openapi.operations import OPERATIONS
from infra.openapi.template import Route
from relay.jira.canonical_request import query_string_hash
from tests.e2e.states import incidents
from tests.support.entities import incident
from tests.support.tokens import claims, signed_callback

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Cases per operation: valid ones for existing ids, valid ones for any id, and invalid ones for
# existing ids.
CASES = [
    (GenerationMode.POSITIVE, True, 24),
    (GenerationMode.POSITIVE, False, 11),
    (GenerationMode.NEGATIVE, True, 16),
]
CASES_MIN = 2000
CONTAINER = {
    "name": "Checkout API",
    "url": "https://ops.example.com/services/checkout-api",
    "lastUpdatedDate": "2026-01-31T09:30:00Z",
}
# Refused here whatever the case: nothing is being erased, the site has the app and can't move to a
# site that exists, and there is no webhook before one is put.
REFUSED = {
    "POST /v1/sites/{site}/move",
    "POST /v1/workspaces/{workspaceId}/webhook/test",
    "GET /v1/workspaces/{workspaceId}/erasure",
    "GET /v1/sites/{site}/erasure",
    "DELETE /v1/sites/{site}",
}
SECONDS = 35.0
# Deletes come last and delete what the others created; the workspace comes after its contents.
ORDER = ["get", "post", "put", "delete"]
WORKSPACE = "/v1/workspaces/{workspaceId}"


Generated = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]


@dataclass
class JiraToken(requests.auth.AuthBase):
    """Signs each request when it is sent, as Jira does."""

    client_key: str
    secret: str
    base_path: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        parts = urlsplit(str(request.url))
        qsh = query_string_hash(str(request.method), parts.path, parts.query, self.base_path)
        token = signed_callback(self.secret, claims(self.client_key, "", "", qsh=qsh))
        request.headers["Authorization"] = f"JWT {token}"
        return request


@dataclass
class Fuzzer:
    """One thread generates cases while another sends them."""

    story: Story
    submission_id: str
    session: requests.Session
    sender: ThreadPoolExecutor
    statuses: Counter[int] = field(default_factory=Counter)
    # Of the valid cases for existing ids, by callers that can authenticate here.
    fitting: Counter[bool] = field(default_factory=Counter)

    def run(self, operation: Generated) -> None:
        for mode, about_known, count in CASES:
            if mode is GenerationMode.POSITIVE or _accepts_input(operation):
                known = self.known(operation) if about_known else {}
                strategy = operation.as_strategy(mode, path_parameters=known)
                fits = mode is GenerationMode.POSITIVE and about_known and _is_proven(operation)
                self.run_cases(operation, generated(strategy, count), fits)

    def run_cases(self, operation: Generated, cases: list[Case], fits: bool) -> None:
        sent = [(case, self.sender.submit(self.send, operation, case)) for case in cases]
        for case, answer in sent:
            status = answer.result().status_code
            self.statuses[status] += 1
            if fits:
                self.fitting[status < 300] += 1
            case.validate_response(answer.result(), checks=CHECKS)

    def send(self, operation: Generated, case: Case) -> Any:
        caller = OPERATIONS[Route(operation.method.upper(), operation.path)].caller
        site = self.story.tenancy.site
        credential: dict[str, Any] = {}
        if caller is Caller.PROVIDER:
            credential["headers"] = {"Authorization": f"Bearer {self.story.tenancy.api_key}"}
        if caller is Caller.SITE:
            base_path = urlsplit(self.story.stack.api).path
            credential["auth"] = JiraToken(site["clientKey"], site["sharedSecret"], base_path)
        return case.call(
            base_url=self.story.stack.api,
            session=self.session,
            timeout=SECONDS,
            allow_redirects=False,
            **credential,
        )

    def known(self, operation: Generated) -> dict[str, str]:
        values = {
            "workspaceId": self.story.tenancy.workspace_id,
            "site": self.story.tenancy.site_id,
            "incidentId": "inc-1",
            "reviewId": "review-of-inc-1",
            "containerId": "checkout-api",
            "sourceId": "alertmanager",
            "submissionId": self.submission_id,
        }
        return {name: value for name, value in values.items() if f"{{{name}}}" in operation.path}


def generated(strategy: Any, count: int) -> list[Case]:
    """The same cases in every run."""
    cases: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=strategy)
    def keep(case: Case) -> None:
        cases.append(case)

    keep()
    return cases


def _is_proven(operation: Generated) -> bool:
    caller = OPERATIONS[Route(operation.method.upper(), operation.path)].caller
    return caller in (Caller.PROVIDER, Caller.SITE) and operation.label not in REFUSED


def _accepts_input(operation: Generated) -> bool:
    """Whether there is something to make invalid. Of the page's calls, which name a workspace
    and have a token, schemathesis would vary nothing else."""
    described = OPERATIONS[Route(operation.method.upper(), operation.path)]
    is_page = described.caller is Caller.PAGE
    given = [one for one in described.parameters if not (is_page and one.where == "path")]
    return bool(given or described.body)


@pytest.fixture
def fuzzing(story: Story) -> Iterator[Fuzzer]:
    """A site, and a workspace with one item of each kind."""
    assert story.submit(incidents(incident("inc-1"))).accepted
    assert story.wait_for_delivery(1)
    workspace = f"/v1/workspaces/{story.tenancy.workspace_id}"
    made = [
        story.relay.http.put(f"{workspace}/containers/checkout-api", json=CONTAINER),
        story.relay.http.post(f"{workspace}/incidents/inc-1/review"),
        story.relay.http.put(f"{workspace}/sources/alertmanager", json={"kind": "alertmanager"}),
    ]
    assert [answer.status_code for answer in made] == [200, 201, 200]
    submitted = story.relay.http.get(f"{workspace}/submissions").json()["submissions"]
    assert story.wait_for_delivery(2)
    with requests.Session() as session, ThreadPoolExecutor(1) as sender:
        session.trust_env = False
        yield Fuzzer(story, submitted[0]["submissionId"], session, sender)


def test_every_request_gets_a_documented_response(
    fuzzing: Fuzzer, subtests: pytest.Subtests
) -> None:
    schema = schemathesis.openapi.from_path(PATH)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == len(OPERATIONS)
    for operation in sorted(
        operations, key=lambda one: (ORDER.index(one.method), one.path == WORKSPACE)
    ):
        with subtests.test(operation=operation.label):
            fuzzing.run(operation)
    cases = fuzzing.statuses.total()
    assert cases >= CASES_MIN
    # Some cases succeeded; not all were refused.
    assert fuzzing.fitting[True] > 4 * fuzzing.fitting[False]
    assert {200, 201, 202, 204, 400, 401, 404} <= fuzzing.statuses.keys()
