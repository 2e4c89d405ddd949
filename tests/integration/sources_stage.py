"""A workspace's sources as the tests of `relay sources` use them."""

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

from tests.integration.cli_stage import Ran, Stage
from tests.sources.samples import samples

TRIGGERED = samples("pagerduty")["triggered"]
FIRING = samples("alertmanager")["firing"]
SECRET = "not-a-secret-just-an-example"
WHERE = ("operations", "alerts")


def url_of(shown: str) -> str:
    found = re.search(r"http\S+/sources/[\w-]{43}(?=\s)", shown)
    assert found, shown
    return found[0]


def deliver(stage: Stage, url: str, payload: Any, secret: str = "") -> int:
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-pagerduty-signature": f"v1={signature}"}
    return stage.relay.call("POST", url.removeprefix(stage.cli.url), body, headers).status


def source(stage: Stage) -> Any:
    return stage.cli("sources", "show", *WHERE, "--json").json()


def add(stage: Stage, kind: str = "alertmanager", *options: str) -> Ran:
    return stage.cli("sources", "add", *WHERE, "--kind", kind, *options)


def add_pagerduty(stage: Stage) -> Ran:
    return stage.cli("sources", "add", *WHERE, "--kind", "pagerduty", RELAY_SOURCE_SECRET=SECRET)


def write(name: str, content: str | bytes) -> str:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name
