"""The page inside Jira as a part of a Forge app: Forge serves its files, and has a module for it.

The files come from the deployed Relay, so that they fit its API, whatever the command's version.
Only the transport is the command's own: it is built with Atlassian's `@forge/bridge`, whose licence
does not allow Relay to distribute it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from relay_cli.api import Relay

# Paths from the folder of the manifest.
FOLDER = "static/relay-page"
BUILT = f"{FOLDER}/build"
# By their path in the built page; Relay serves each to everyone.
SERVED = {
    "index.html": "/page/forge.html",
    "page/page.js": "/page/page.js",
    "page/page.css": "/page/page.css",
    "page/theme.css": "/page/theme.css",
}
ENDPOINT = "relay-page"
MODULE = "jira:adminPage"
SCOPE = "read:permission:jira"
_RESOURCE = "relay-page"
_TRANSPORT = Path(__file__).with_name("forge_transport.js")
_PACKAGE = {
    "name": "relay-page",
    "private": True,
    "scripts": {
        "build": "esbuild transport.js --bundle --minify --outfile=build/page/forge.js",
    },
    "dependencies": {"@forge/bridge": "7.2.0"},
    "devDependencies": {"esbuild": "0.28.2"},
}


def has_page(descriptor: Mapping[str, Any]) -> bool:
    """Whether the deployed Relay has the page: older ones have none."""
    return "adminPages" in descriptor["modules"]


def page_modules(remote: str) -> dict[str, list[Any]]:
    """The page's module, shown to Jira admins only, and the endpoint that it calls.

    The endpoint asks for no token for Jira's API: Forge's invocation token names the user.
    """
    module = {
        "key": "relay-admin-page",
        "title": "Relay",
        "resource": _RESOURCE,
        "resolver": {"endpoint": ENDPOINT},
        "layout": "blank",
        "displayConditions": {"canAdministerJira": True},
    }
    return {MODULE: [module], "endpoint": [{"key": ENDPOINT, "remote": remote}]}


def page_resources() -> list[dict[str, str]]:
    """The manifest's `resources`."""
    return [{"key": _RESOURCE, "path": BUILT}]


def page_files(relay: Relay) -> dict[str, str]:
    """The page's files by their path from the manifest's folder. Raises as `Relay.call` does."""
    served = {f"{BUILT}/{name}": relay.text(path) for name, path in SERVED.items()}
    return served | {
        f"{FOLDER}/package.json": json.dumps(_PACKAGE, indent=2) + "\n",
        f"{FOLDER}/transport.js": _TRANSPORT.read_text("utf-8"),
    }


def write_files(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Writes each text to its path below the folder. Raises OSError."""
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
