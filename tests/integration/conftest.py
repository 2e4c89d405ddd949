"""The functions and stores on the emulated AWS."""

import pytest


@pytest.fixture(autouse=True)
def emulated_aws_alone(credentials: None) -> None:
    """For tests without stores, too."""
