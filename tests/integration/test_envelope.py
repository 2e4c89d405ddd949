"""Answers of the page's API in an envelope, as Forge's proxy needs them whatever their status."""

from typing import Any

import pytest

from relay.edge.envelope import ENVELOPE_HEADER
from tests.integration.page_stage import MEMBER, Page, context_token, page_at
from tests.integration.relay_stage import JSON, JiraSite, Relay
from tests.support.lambdas import Answer


@pytest.fixture
def page(relay: Relay, site: JiraSite) -> Page:
    """The page at a site that has the workspace payments."""
    return page_at(relay, site)


def asked(page: Page, method: str, path: str, body: Any = None, token: str = "") -> Answer:
    token = token or context_token(page.site.site, page.account)
    headers = {"authorization": f"JWT {token}", ENVELOPE_HEADER: "1"} | JSON
    return page.relay.call(method, f"/page{path}", body, headers)


def within(answer: Answer) -> tuple[int, Any]:
    """Relay's own status and body."""
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert document.keys() == {"status", "body"}
    return document["status"], document["body"]


def test_an_answer_is_within_the_envelope(page: Page) -> None:
    status, body = within(asked(page, "GET", "/site"))

    assert status == 200
    assert body["connectedAs"] == page.shown()["connectedAs"] == "connect"


def test_an_answer_without_a_body_becomes_json(page: Page) -> None:
    assert within(asked(page, "DELETE", "/workspaces/payments/link")) == (204, None)


def test_a_refusal_keeps_its_status_and_words(page: Page, relay: Relay, site: JiraSite) -> None:
    member = Page(relay, site, MEMBER)

    status, body = within(asked(member, "GET", "/site"))
    assert (status, body["error"]["code"]) == (403, "not_an_admin")
    status, body = within(asked(page, "PUT", "/workspaces/unknown/link"))
    assert (status, body["error"]["code"]) == (404, "unknown_offer")


def test_only_a_proven_caller_gets_an_envelope(page: Page) -> None:
    refused = asked(page, "GET", "/site", token="x")

    assert refused.status == 401
    assert refused.json().keys() == {"error"}


def test_a_file_is_not_wrapped(page: Page) -> None:
    asking = page.relay.call("GET", "/page/page.js", headers={ENVELOPE_HEADER: "1"})
    assert asking.body == page.relay.call("GET", "/page/page.js").body
    assert asked(page, "HEAD", "/site").body == ""
