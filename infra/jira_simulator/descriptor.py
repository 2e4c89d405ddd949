"""The app descriptor (`atlassian-connect.json`): two of Jira's modules, and pages for admins."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .validation import Rule

OPERATIONS_MODULE = "jiraOperationsInfoProvider"
COMPONENTS_MODULE = "jiraDevOpsComponentProvider"

_URL = {"type": "string", "minLength": 1}
_ACTION = {"type": "object", "required": ["templateUrl"], "properties": {"templateUrl": _URL}}

_COMPONENTS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["key", "name", "homeUrl"],
    "properties": {
        "key": {"type": "string", "maxLength": 100, "pattern": "^[a-zA-Z0-9-]+$"},
        "name": {
            "type": "object",
            "required": ["value"],
            "properties": {
                "value": {"type": "string", "maxLength": 1500},
                "i18n": {"type": "string", "maxLength": 300},
            },
        },
        "homeUrl": _URL,
        "logoUrl": _URL,
        "documentationUrl": _URL,
        "actions": {
            "type": "object",
            "required": ["associate", "disassociate"],
            "additionalProperties": _ACTION,
        },
    },
}

_OPERATIONS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [*_COMPONENTS_SCHEMA["required"], "actions"],
    "properties": {
        **_COMPONENTS_SCHEMA["properties"],
        "actions": {
            "type": "object",
            "required": ["fetchWorkspaces", "searchContainers"],
            "properties": {
                "fetchWorkspaces": _ACTION,
                "searchContainers": _ACTION,
                "onEntityAssociated": _ACTION,
                "onEntityDisassociated": _ACTION,
                "createPostIncidentReview": {
                    "type": "object",
                    "required": ["url"],
                    "properties": {"url": _URL},
                },
            },
        },
    },
}

_PAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["key", "name", "url"],
    "properties": {
        "key": {"type": "string", "pattern": "^[a-zA-Z0-9-]+$"},
        "name": {
            "type": "object",
            "required": ["value"],
            "properties": {"value": {"type": "string"}},
        },
        "url": {"type": "string", "pattern": "^/"},
    },
}

_DESCRIPTOR = Rule(
    {
        "type": "object",
        "required": ["key", "baseUrl", "authentication", "lifecycle"],
        "properties": {
            "key": {"type": "string", "pattern": "^[a-zA-Z0-9-._]+$"},
            "name": {"type": "string"},
            "baseUrl": {"type": "string", "pattern": "^https?://[^/?#]+[^?#]*$"},
            "authentication": {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"const": "jwt"}},
            },
            "lifecycle": {
                "type": "object",
                "required": ["installed"],
                "additionalProperties": _URL,
            },
            "scopes": {"type": "array", "items": {"type": "string"}},
            "modules": {
                "type": "object",
                "properties": {
                    OPERATIONS_MODULE: _OPERATIONS_SCHEMA,
                    COMPONENTS_MODULE: _COMPONENTS_SCHEMA,
                    "adminPages": {"type": "array", "items": _PAGE_SCHEMA},
                    "configurePage": _PAGE_SCHEMA,
                },
            },
        },
    }
)


@dataclass(frozen=True)
class AdminPage:
    """A page that the app has in Jira's admin area; `url` is relative to the app's base URL."""

    key: str
    name: str
    url: str


@dataclass(frozen=True)
class App:
    """`lifecycle` maps events to paths; `modules` contains the two supported modules, by name.

    `pages` are the admin pages, the Configure page last.
    """

    key: str
    name: str
    base_url: str
    scopes: frozenset[str]
    lifecycle: dict[str, str]
    modules: dict[str, dict[str, Any]]
    pages: tuple[AdminPage, ...] = ()

    def url(self, path: str) -> str:
        """Resolves a URL of the descriptor, which may be relative to the app's base URL."""
        if path.startswith(("http://", "https://")):
            return path
        return f"{self.base_url}/{path.lstrip('/')}"

    def document(self) -> dict[str, Any]:
        """The app as the control endpoint returns it."""
        return {
            "key": self.key,
            "name": self.name,
            "baseUrl": self.base_url,
            "scopes": sorted(self.scopes),
            "modules": sorted(self.modules),
            "pages": [page.key for page in self.pages],
        }


def read_descriptor(document: Any) -> App:
    """Returns the descriptor's app. Raises a Refusal (400) that lists what Jira would reject."""
    _DESCRIPTOR.require(document)
    return App(
        key=document["key"],
        name=document.get("name", document["key"]),
        base_url=document["baseUrl"].rstrip("/"),
        scopes=frozenset(document.get("scopes", [])),
        lifecycle=document["lifecycle"],
        modules={
            name: module
            for name, module in document.get("modules", {}).items()
            if name in (OPERATIONS_MODULE, COMPONENTS_MODULE)
        },
        pages=tuple(_pages(document.get("modules", {}))),
    )


def _pages(modules: dict[str, Any]) -> Iterator[AdminPage]:
    for page in modules.get("adminPages", []):
        yield AdminPage(page["key"], page["name"]["value"], page["url"])
    if "configurePage" in modules:
        page = modules["configurePage"]
        # Jira's button has this name, whatever the page's.
        yield AdminPage(page["key"], "Configure", page["url"])
