"""The figures of docs/scale.md that come from the template are the template's."""

import pytest

from infra.bench.simulated_submitter import settings
from infra.harness.latencies import JIRA_SECONDS, LATENCIES
from infra.lambdas.template import event_source_of, resources, timeout_of
from tests.support.template import ROOT

TEXT = (ROOT / "docs/scale.md").read_text("utf-8")
[API] = resources("AWS::Serverless::HttpApi").values()
SOURCES = "POST /sources/{address}"
SUBMISSIONS = "POST /v1/workspaces/{workspaceId}/submissions"


@pytest.mark.parametrize("route", [SUBMISSIONS, SOURCES])
def test_the_throttle_of_the_busy_routes(route: str) -> None:
    own = API["RouteSettings"][route]
    rate, burst = own["ThrottlingRateLimit"], own["ThrottlingBurstLimit"]
    assert f"| {rate:,}, a burst of {burst:,} | T | `RouteSettings` |" in TEXT
    assert f"the route's throttle, {rate:,} calls a second (T)" in TEXT


def test_the_throttle_of_the_other_routes() -> None:
    default = API["DefaultRouteSettings"]
    rate, burst = default["ThrottlingRateLimit"], default["ThrottlingBurstLimit"]
    assert f"| {rate:,}, a burst of {burst:,} | T | `DefaultRouteSettings` |" in TEXT


def test_the_event_source_and_its_queue() -> None:
    given = settings()
    window = f"{given.window:g} second" + ("s" if given.window != 1 else "")
    assert f"| {given.batch:,} messages, 6 MB, or the window of {window} | T, A |" in TEXT
    assert f"| {given.concurrency} each | T | `SubmitterConcurrency`, up to 1,000 |" in TEXT
    assert (
        f"{given.concurrency} submitters hold at most {given.concurrency * given.batch:,} (C)"
        in TEXT
    )
    assert f"is received again after | {given.visibility} seconds | T |" in TEXT
    assert f"visibility timeout of {given.visibility} seconds (T)" in TEXT
    assert given.visibility == 6 * timeout_of("submitter")
    replayers = event_source_of("replayer")["ScalingConfig"]["MaximumConcurrency"]
    assert replayers == given.concurrency


def test_the_days_that_a_message_is_stored() -> None:
    queue = resources("AWS::SQS::Queue")["SubmissionsQueue"]
    assert f"stored for | {queue['MessageRetentionPeriod'] // 86400} days | T |" in TEXT


@pytest.mark.parametrize("function", ["sweeper", "replayer"])
def test_the_timeouts_of_long_work(function: str) -> None:
    seconds = f"{timeout_of(function):g}"
    assert f"{seconds} seconds | M, T |" in TEXT or f"up to {seconds} seconds (T)" in TEXT


def test_the_workspaces_of_one_submitter() -> None:
    calls = ("Query", "BatchGetItem", "TransactWriteItems", "TransactWriteItems")
    waits = sum(LATENCIES[f"dynamodb.{call}"].typical() for call in calls) / 1000
    each = 1 / (waits + JIRA_SECONDS)
    assert f"| {each:.1f} a second | C:" in TEXT
    assert f"the submitters: {each * settings().concurrency:.0f} workspaces a second (C)" in TEXT
