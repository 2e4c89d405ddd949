"""`python -m infra.guard`: AWS's rules accept the template, and refuse a worse one.

Guard needs npm and a registry, and is fetched once. Without them, these tests are left out, except
in CI.
"""

import copy
from typing import Any

import pytest

from infra.guard.check import Failure, RuleException, problems
from infra.guard.exceptions import EXCEPTIONS
from infra.guard.rules import failures
from infra.guard.translated import translated
from infra.npm_package import NotFetched
from tests.support.left_out import leave_out

FAILURE = Failure("sqs_dlq_check", "OrdersQueue", "Require a dead-letter queue")
EXCEPTION = RuleException("sqs_dlq_check", r"\w+Queue", "It is one itself.")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return translated()


def failures_found(template: dict[str, Any]) -> list[Failure]:
    try:
        return failures(template)
    except NotFetched as missing:
        leave_out(str(missing))


def test_the_template_follows_the_rules_but_for_the_exceptions(template: dict[str, Any]) -> None:
    assert problems(failures_found(template), EXCEPTIONS) == []


def test_a_template_that_breaks_a_rule_is_refused(template: dict[str, Any]) -> None:
    worse = {"Resources": {"Table": copy.deepcopy(template["Resources"]["RecordTable"])}}
    worse["Resources"]["Table"]["Properties"]["PointInTimeRecoverySpecification"] = {
        "PointInTimeRecoveryEnabled": False
    }
    [problem] = problems(failures_found(worse), [])
    assert problem.startswith("Table: dynamodb_table_pitr_enabled_check: ")


def test_a_failure_without_an_exception_is_a_problem() -> None:
    assert problems([FAILURE], []) == ["OrdersQueue: sqs_dlq_check: Require a dead-letter queue"]
    other = Failure("sqs_dlq_check", "Orders", "Require a dead-letter queue")
    assert len(problems([FAILURE, other], [EXCEPTION])) == 1
    assert problems([FAILURE], [EXCEPTION]) == []


def test_an_exception_without_a_failure_is_a_problem() -> None:
    [problem] = problems([], [EXCEPTION])
    assert "sqs_dlq_check" in problem


def test_every_exception_has_a_reason() -> None:
    assert all(len(exception.reason) > 20 for exception in EXCEPTIONS)
