"""Manifests for every kind of deployment, generated from the repository's descriptor."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relay_cli.descriptor import MODULE as OPERATIONS
from relay_cli.forge_page import BUILT
from relay_cli.manifest import COMPONENTS, REGIONS, Deployment, Manifest, manifest_of

DESCRIPTOR = Path(__file__).parents[2] / "atlassian-connect.json"
URL = "https://relay.example.com"
# The validator looks for the page's HTML, but not for what it loads.
PAGE_FILES = {f"{BUILT}/index.html": "<!doctype html>"}
# Any valid id and URLs will do: nothing calls them.
_APP_ID = "ari:cloud:ecosystem::app/406d303d-0393-4ec4-ad7c-1435be94583a"
_GUIDE = "https://docs.example.com/relay-on-forge"


def samples() -> Iterator[tuple[str, Manifest]]:
    """Yields each manifest with a description."""
    whole: dict[str, Any] = json.loads(DESCRIPTOR.read_text("utf-8"))
    modules = {name: one for name, one in whole["modules"].items() if name != COMPONENTS}
    plain = whole | {"modules": modules}
    older = plain | {"modules": {name: modules[name] for name in modules if name == OPERATIONS}}
    regions = {region: f"https://{region.lower()}.relay.example.com" for region in REGIONS}
    yield "with components", manifest_of(whole, Deployment(_APP_ID, URL))
    yield "without components", manifest_of(plain, Deployment(_APP_ID, URL))
    yield "without a page", manifest_of(older, Deployment(_APP_ID, URL))
    yield "with regions", manifest_of(whole, Deployment(_APP_ID, URL, regions))
    yield "with a migration guide", manifest_of(plain, Deployment(_APP_ID, URL, guide_url=_GUIDE))
