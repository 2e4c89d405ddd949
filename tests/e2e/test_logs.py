"""What the functions logged in the whole run; conftest.py runs these tests last."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.feed import split
from infra.local.jira_control import JiraControl
from infra.local.sample_text import STORIES
from infra.local.stack import Stack
from infra.local.story import Story
from tests.e2e.states import incidents
from tests.e2e.steering import messages_in
from tests.support.entities import incident

# Lambda's own lines around a function's; MiniStack's last ones report a function that was killed,
# between two calls or as one began.
PLATFORM = re.compile(
    r"(START|END|REPORT|INIT_START|INIT_REPORT) |Worker process died$"
    r"|'NoneType' object has no attribute 'stdin'$"
)
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ")
API_KEY = re.compile(r"relay_[0-9a-f]{16}_")
SUMMARY = "A very particular summary 7b1f"


@dataclass(frozen=True)
class Line:
    group: str
    text: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def is_metric(self) -> bool:
        return "_aws" in self.document


def lines(stack: Stack) -> Iterator[Line]:
    for group in stack.aws.logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for message in messages_in(stack.aws.logs, name):
            if message.strip() and not PLATFORM.match(message):
                yield Line(name, message)


@pytest.fixture
def delivered(story: Story) -> Story:
    submitted = story.submit(incidents(incident("inc-1", summary=SUMMARY)))
    assert submitted.accepted
    assert story.wait_for_delivery(1)
    return story


def test_no_secret_token_or_entity_content_is_logged(stack: Stack, delivered: Story) -> None:
    secrets = {site["sharedSecret"] for site in sites(stack)} | {delivered.tenancy.api_key}
    texts = {SUMMARY, "Checkout answers slowly", *(story.finding for story in STORIES)}

    written = list(lines(stack))

    assert len(written) > 100
    for line in written:
        assert not TOKEN.search(line.text), line
        assert not API_KEY.search(line.text), line
        assert not [word for word in secrets | texts if word in line.text], line


def test_every_line_is_json_and_names_its_call(stack: Stack, delivered: Story) -> None:
    assert delivered
    for line in lines(stack):
        if line.is_metric:
            continue
        named = {"correlation_id", "correlation_ids", "function_request_id"} & line.document.keys()
        assert named, line


def test_the_correlation_id_leads_from_the_submission_to_the_delivery(
    stack: Stack, story: Story
) -> None:
    [submission] = split(incidents(incident("inc-1")))
    submitted = story.relay.submit(story.tenancy.workspace_id, submission.body())
    correlation_id = submitted["submissionId"].partition("-")[2]
    assert story.wait_for_delivery(1)

    said = {
        line.document["message"]: line.group
        for line in lines(stack)
        if not line.is_metric and correlation_id in line.text
    }

    assert "Answered" in said
    assert {"Recorded", "Jira accepted a batch", "Delivered", "Message done"} <= said.keys()
    assert said["Answered"] != said["Delivered"]


def sites(stack: Stack) -> list[dict[str, Any]]:
    with JiraControl(stack.jira.url) as jira:
        return list(jira.http.get("/sites").raise_for_status().json()["sites"])
