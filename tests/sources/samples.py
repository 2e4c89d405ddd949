"""Sample payloads of each kind of source, and what Relay makes of them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relay.sources.mapping import Mapped, SourceContext, mapped
from relay.sources.payload import read_payload
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call
from relay.sources.tool import tool_of
from tests.support.template import ROOT

EXAMPLES = ROOT / "examples" / "sources"
VECTORS = Path(__file__).parent
WORKSPACE_URL = "https://ops.example.com/payments"


def samples(kind: str) -> dict[str, Any]:
    """The example payloads of a kind, by name."""
    paths = sorted((EXAMPLES / kind).glob("*.json"))
    return {path.stem.replace("-", "_"): _document(path) for path in paths}


def vector(kind: str) -> dict[str, Any]:
    """A signature of the vendor's own, with the secret and the body."""
    return _document(VECTORS / f"{kind}_vector.json")


def settings_of(kind: str) -> dict[str, Any]:
    """The settings that the kind can't do without."""
    if kind != "custom":
        return {}
    return _document(EXAMPLES / "custom-settings.json")


def _document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def translated(kind: str, payload: Any, **settings: Any) -> Mapped:
    """What Relay makes of the payload, which is sent as JSON; `settings` are besides the kind's."""
    tool = tool_of(kind)
    given = SourceSettings.model_validate(settings_of(kind) | settings)
    context = SourceContext(kind, tool.title, given, WORKSPACE_URL)
    sent = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return mapped(tool.read(read_payload(sent), given), context)


def entities(kind: str, payload: Any, **settings: Any) -> list[Any]:
    """The entities as Jira gets them; nothing of the payload may be refused."""
    found = translated(kind, payload, **settings)
    assert not found.refused
    return [state.entity for state in found.states]


def document(found: Mapped) -> dict[str, Any]:
    """What the documentation shows of it: lists that are not empty."""
    containers = [{"id": one.id, "name": one.name, "url": one.url} for one in found.services]
    lists = {
        "incidents": [state.entity for state in found.states if state.kind == "incident"],
        "reviews": [state.entity for state in found.states if state.kind == "review"],
        "containers": containers,
    }
    return {name: values for name, values in lists.items() if values}


def call(body: bytes, headers: Mapping[str, str], at: float | None = None) -> Call:
    """A call with these headers, at a time in epoch seconds, or now."""
    lower = {name.lower(): value for name, value in headers.items()}
    return Call(lower, body, time.time() if at is None else at)
