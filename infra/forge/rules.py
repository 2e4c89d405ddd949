"""Rules that Atlassian's validator lacks: the content of Connect modules, and URLs."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import jsonschema

from infra.forge.page_rules import ADMIN_PAGE

LIFECYCLE = "jira:lifecycle"


def problems(document: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yields the problems that the validator does not report; `schema` is a result of `closed`.

    The document may have any content.
    """
    manifest = _mapping(document)
    yield from _base_url_problems(_list(manifest.get("remotes")))
    modules = _mapping(manifest.get("connectModules"))
    if len(_list(modules.get(LIFECYCLE))) != 1:
        yield f"connectModules.{LIFECYCLE} must have one entry: without it, no secret is shared"
    for name, entries in modules.items():
        yield from _module_problems(name, entries, schema)
    yield from _path_problems(manifest)


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the schema that rejects unknown names, which would have no effect."""
    copied = copy.deepcopy(dict(schema))
    waiting: list[Any] = [copied["definitions"]]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        if isinstance(part, dict):
            waiting += part.values()
            if isinstance(part.get("properties"), dict):
                part.setdefault("additionalProperties", False)
    return copied


def _base_url_problems(remotes: Sequence[Any]) -> Iterator[str]:
    for remote in map(_mapping, remotes):
        base_url = remote.get("baseUrl")
        urls = base_url if isinstance(base_url, Mapping) else {"baseUrl": base_url}
        for name, url in urls.items():
            if not _is_base_url(str(url)):
                yield (
                    f"remotes.{remote.get('key')}.{name} is {url}. It must be https with a host, "
                    "without a user, a query or a trailing slash"
                )


def _is_base_url(url: str) -> bool:
    parts = urlsplit(url)
    rest = parts.username or parts.password or parts.query or parts.fragment
    return parts.scheme == "https" and bool(parts.hostname) and not rest and not url.endswith("/")


def _module_problems(name: str, entries: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    module = f"connect-{name}"
    if module not in schema["definitions"]["ModuleSchema"]["properties"]:
        return
    pointer = f"#/definitions/ModuleSchema/properties/{module}"
    definitions = schema["definitions"]
    validator = jsonschema.Draft7Validator({"$ref": pointer, "definitions": definitions})
    for error in validator.iter_errors(entries):
        yield f"connectModules.{name}{error.json_path.removeprefix('$')}: {error.message}"


def _path_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Calls of a remote need a path, which is appended to the base URL.

    The admin page's endpoint has none (see `page_rules`).
    """
    for name, path in _paths(manifest):
        if not str(path).startswith("/"):
            yield f"{name} is {path}. It must be a path that starts with a slash"


def _paths(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    connect = _mapping(manifest.get("connectModules"))
    for name, entries in connect.items():
        for entry in map(_mapping, _list(entries)):
            for action, urls in _mapping(entry.get("actions")).items():
                yield f"{name}.{action}", _mapping(urls).get("templateUrl", "/")
    for entry in map(_mapping, _list(connect.get(LIFECYCLE))):
        yield from (
            (f"{LIFECYCLE}.{event}", path) for event, path in entry.items() if event != "key"
        )
    modules = _mapping(manifest.get("modules"))
    of_pages = {
        _mapping(page.get("resolver")).get("endpoint")
        for page in map(_mapping, _list(modules.get(ADMIN_PAGE)))
    }
    for entry in map(_mapping, _list(modules.get("endpoint"))):
        if entry.get("key") in of_pages:
            continue
        yield f"endpoint.{entry.get('key')}", _mapping(entry.get("route")).get("path")
    for entry in map(_mapping, _list(modules.get("migration:dataResidency"))):
        yield "migration:dataResidency", entry.get("path")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
