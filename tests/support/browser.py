"""The tests of the page inside Jira drive a browser, which a machine may lack."""

import pytest

from infra.local.browser import VARIABLE, browser_path
from infra.local.failure import StackFailure
from tests.support.left_out import leave_out

LEFT_OUT = "there is no Chromium or Chrome on this machine"


def required_browser() -> str:
    """The path of the browser. Without one, the test fails in CI and is left out elsewhere; if
    the variable names none, it fails.
    """
    try:
        path = browser_path()
    except StackFailure as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    return path or leave_out(LEFT_OUT)


def report_left_out(reporter: pytest.TerminalReporter) -> None:
    """Names the tests that were left out, as the last lines of pytest's output."""
    skipped = reporter.stats.get("skipped", [])
    names = [one.nodeid.rpartition("::")[2] for one in skipped if LEFT_OUT in str(one.longrepr)]
    if names:
        reporter.section("Left out", "!", yellow=True)
        reporter.write_line(
            f"{len(names)} tests of the page inside Jira were not run, because {LEFT_OUT}. "
            f"Install one (on Debian and Ubuntu: chromium), or name it in {VARIABLE}."
        )
        reporter.write_line("\n".join(f"  {name}" for name in names))
