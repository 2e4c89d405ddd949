"""The clock by which Relay notes when it first saw a lifecycle token."""

import time
from dataclasses import dataclass, field

import pytest


@dataclass
class Clock:
    """In epoch seconds. Whether a token has expired is still told by the wall clock."""

    seconds: int = field(default_factory=lambda: int(time.time()))


@pytest.fixture(name="clock")
def first_sight_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("relay.tenants.lifecycle.clock", lambda: clock.seconds)
    return clock
