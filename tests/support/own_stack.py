"""A stack of the tests' own, and what runs this checkout's code in another process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.local.stack import Options, Stack, temporary_stack
from tests.support.template import ROOT

# Otherwise, it would be the code of the checkout for which the tools were installed.
PYTHONPATH = f"{ROOT}/shared:{ROOT}/cli:{ROOT}"


@contextmanager
def own_stack(enforce_iam: bool = False, **parameters: str) -> Iterator[Stack]:
    """A new stack with these parameters of the template, on free ports."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("RELAY_PORT", "RELAY_JIRA_PORT"):
            patch.delenv(variable, raising=False)
        with temporary_stack(Options(enforce_iam, parameters)) as running:
            yield running
