"""How the page reaches Relay under Forge: the transport, run by Node with a bridge that answers.

The real bridge works in Jira's frame only. `invokeRemote` is what it has of Forge; what Forge makes
of Relay's answers is as its documents say.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from relay.edge.envelope import ENVELOPE_HEADER
from tests.support.template import ROOT

NODE = shutil.which("node")
TRANSPORT = ROOT / "cli" / "relay_cli" / "forge_transport.js"
BRIDGE = """
const theme = { enable: () => (bridge.themed = true, Promise.reject(new Error("no theme"))) };
export const view = { theme };
export const invokeRemote = async (call) => {
  bridge.calls.push(call);
  if (bridge.error) throw new Error(bridge.error);
  return bridge.answer;
};
"""
PAGE = """
const given = JSON.parse(process.argv[2]);
globalThis.window = globalThis;
globalThis.bridge = { calls: [], ...given.bridge };
await import("./transport.mjs");
const said = await window.relayForge.request(...given.request).catch((error) => error.message);
console.log(JSON.stringify({ said, calls: bridge.calls, themed: bridge.themed }));
"""

# The check of the Forge manifest needs Node.js, too, so CI has it.
pytestmark = pytest.mark.skipif(
    NODE is None and "CI" not in os.environ, reason="that requires Node.js"
)


class Page:
    """A page under Forge in this folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        bridge = folder / "node_modules" / "@forge" / "bridge"
        bridge.mkdir(parents=True)
        (bridge / "package.json").write_text('{"type": "module", "main": "index.js"}')
        (bridge / "index.js").write_text(BRIDGE)
        (folder / "transport.mjs").write_text(TRANSPORT.read_text("utf-8"))
        (folder / "page.mjs").write_text(PAGE)

    def request(self, *request: Any, **bridge: Any) -> Any:
        """What the page's call leads to, with a bridge that has this `answer` or `error`."""
        given = json.dumps({"request": request, "bridge": bridge})
        done = subprocess.run(
            [str(NODE), "page.mjs", given],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


def enveloped(status: int, body: Any) -> dict[str, Any]:
    """Relay's answer, as Forge passes it on."""
    return {"status": 200, "headers": {}, "body": {"status": status, "body": body}}


def test_a_call_goes_through_forge_with_its_method_path_and_body(page: Page) -> None:
    path = "/page/workspaces/payments/replay"
    ran = page.request("POST", path, {"what": "all"}, answer=enveloped(202, {"state": "waiting"}))

    assert ran["calls"] == [
        {"method": "POST", "path": path, "headers": {ENVELOPE_HEADER: "1"}, "body": {"what": "all"}}
    ]
    assert ran["said"] == {"status": 202, "body": {"state": "waiting"}}
    # The theme is asked for, and not needed.
    assert ran["themed"] is True


def test_a_call_without_a_body_sends_none(page: Page) -> None:
    ran = page.request("PUT", "/page/workspaces/payments/link", answer=enveloped(204, None))

    [call] = ran["calls"]
    assert "body" not in call
    assert ran["said"] == {"status": 204, "body": None}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        # A refusal keeps its status and words, though Forge has seen a 200.
        (
            enveloped(403, {"error": {"code": "not_an_admin"}}),
            {"status": 403, "body": {"error": {"code": "not_an_admin"}}},
        ),
        # Relay does not wrap the refusal of a token.
        (
            {"status": 401, "body": {"error": {"code": "unauthorized"}}},
            {"status": 401, "body": {"error": {"code": "unauthorized"}}},
        ),
        ({"status": 503}, {"status": 503, "body": None}),
        # The bridge returns what Forge says of a failure.
        ({"message": "timeout"}, "Relay did not answer."),
        ({}, "Relay did not answer."),
        (None, "Relay did not answer."),
    ],
)
def test_an_answer_has_relays_status_or_is_an_error(page: Page, answer: Any, said: Any) -> None:
    assert page.request("GET", "/page/site", answer=answer)["said"] == said


def test_a_refusal_of_the_bridge_is_an_error(page: Page) -> None:
    assert page.request("GET", "/page/site", error="rate limited")["said"] == "rate limited"
