"""The operations of the REST APIs, for authenticated calls.

`/rest/operations/1.0/*` has nine operations, `/rest/devopscomponents/1.0/*` has four; one app
property can be read, and a user's permissions can be asked for. The names are those of Jira's
OpenAPI documents. An operation gets a site and a request, changes the site's store, and returns an
answer or raises a Refusal; it is independent of HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

from .apis import APP_PROPERTIES, COMPONENTS, OPERATIONS, PLATFORM, Api
from .entity_faults import EntityFaults
from .projects import check_projects
from .refusal import PropertyRefusal, Refusal, error_messages
from .schemas import ENTITY, PERMISSIONS, PROPERTIES, WORKSPACES, Kind
from .sites import Site
from .store import StoredEntity

# Its value is the site's clientKey: a Forge app without Connect's lifecycle has no other source.
CLIENT_KEY_PROPERTY = "connect_client_key_019cdff3-8bfb-71fe-9628-875b700aebb8"


@dataclass(frozen=True)
class Request:
    """`parameters` are the decoded ones of the path; `body` is None if the call has none."""

    query: list[tuple[str, str]]
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    faults: EntityFaults = field(default_factory=EntityFaults)


@dataclass(frozen=True)
class Answer:
    """`body` is None for an empty answer."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class Operation:
    """`path` is relative to the API's; a `{parameter}` is one segment, which may not be empty.

    `scope` is READ, WRITE or DELETE, or None if none is required.
    """

    api: Api
    name: str
    method: str
    path: str
    scope: str | None
    run: Callable[[Site, Request], Answer]
    takes_body: bool = False

    @cached_property
    def segments(self) -> list[str]:
        """The segments of the full path below the site's base URL."""
        return (self.api.path + self.path).split("/")


@dataclass(frozen=True)
class FoundOperation:
    """The operation of a call, with the decoded parameters of its path."""

    operation: Operation
    parameters: Mapping[str, str]


@dataclass
class _Outcome:
    """A submission's result. Jira has no keys for reviews: they share those of incidents."""

    accepted: dict[str, None] = field(default_factory=dict)
    failed: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    unknown_projects: dict[str, None] = field(default_factory=dict)

    def document(self, api: Api) -> dict[str, Any]:
        keys = {
            f"accepted{api.outcome}": list(self.accepted),
            f"failed{api.outcome}": self.failed,
            "unknownProjectKeys": list(self.unknown_projects),
        }
        found = {key: value for key, value in keys.items() if value}
        # Jira's answer has at least one of these keys; without any, it could be another server's.
        return found or {f"accepted{api.outcome}": []}


def submit_workspaces(site: Site, request: Request) -> Answer:
    """Links workspaces. An existing link stays, and its id is also returned as accepted."""
    WORKSPACES.require(request.body)
    ids = list(dict.fromkeys(request.body["workspaceIds"]))
    for workspace_id in ids:
        if workspace_id not in site.store.workspaces.latest:
            site.store.workspaces.put(workspace_id, workspace_id)
    return Answer(202, {"acceptedWorkspaceIds": ids})


def delete_workspaces(site: Site, request: Request) -> Answer:
    """Unlinks workspaces: one comma-separated parameter, with the same maximum as a submission."""
    values = [value for name, value in request.query if name == "workspaceIds"]
    ids = ",".join(values).split(",")
    WORKSPACES.require({"workspaceIds": ids})
    for workspace_id in ids:
        site.store.workspaces.remove(workspace_id)
    return Answer(202)


def get_workspaces(site: Site, request: Request) -> Answer:
    """All linked workspaces, or the one named by `workspaceId`; 404 if it is not linked."""
    linked = site.store.workspaces.visible
    wanted = dict(request.query).get("workspaceId")
    if wanted is None:
        return Answer(200, {"workspaceIds": list(linked)})
    if wanted not in linked:
        raise Refusal(404, f"The workspace {wanted} is not linked.")
    return Answer(200, {"workspaceIds": [wanted]})


def submit_entities(api: Api, site: Site, request: Request) -> Answer:
    """Validates each entity separately; 400 is for a request that is invalid as a whole."""
    api.submission.require(request.body)
    if not any(kind.collection in request.body for kind in api.kinds):
        collections = " or ".join(kind.collection for kind in api.kinds)
        raise Refusal(400, f"Nothing is submitted as {collections}.")
    properties = request.body.get("properties", {})
    product = request.body.get("providerMetadata", {}).get("product", "")
    outcome = _Outcome()
    for kind in api.kinds:
        for entity in request.body.get(kind.collection, []):
            submitted = StoredEntity(entity, properties, product)
            _submit(site, kind, submitted, request.faults, outcome)
    return Answer(202, outcome.document(api))


def delete_by_properties(api: Api, site: Site, request: Request) -> Answer:
    """Deletes entities that have all given properties; 400 without a property."""
    if not request.query:
        raise Refusal(400, "Name at least one property to delete by.")
    PROPERTIES.require(dict(request.query))
    site.store.delete_by_properties(api.kinds, request.query)
    return Answer(202)


def get_entity(kind: Kind, site: Site, request: Request) -> Answer:
    """The visible entity, as it was submitted; 404 if there is none."""
    held = site.store.entities[kind].visible.get(request.parameters["id"])
    if held is None:
        raise Refusal(404, f"There is no {kind} {request.parameters['id']}.")
    return Answer(200, held.entity)


def delete_entity(kind: Kind, site: Site, request: Request) -> Answer:
    """Deletes the entity; 202 also for an unknown id."""
    site.store.delete(kind, request.parameters["id"])
    return Answer(202)


def get_app_property(site: Site, request: Request) -> Answer:
    """The reserved property with the clientKey, of the site's present or former app; else 404."""
    addon_key, key = request.parameters["addonKey"], request.parameters["propertyKey"]
    known = addon_key == site.connect_key and key == CLIENT_KEY_PROPERTY
    if not known or not site.switches.client_key_property:
        raise PropertyRefusal(404, "Property with key not found.")
    path = f"{APP_PROPERTIES.path}/addons/{addon_key}/properties/{key}"
    return Answer(200, {"self": site.base_url + path, "key": key, "value": site.client_key})


def check_permissions(site: Site, request: Request) -> Answer:
    """Those of the asked global permissions that the user has; nobody has a project's here."""
    PERMISSIONS.require(request.body)
    is_admin = site.users.get(request.body["accountId"], False)
    asked = dict.fromkeys(request.body.get("globalPermissions", []))
    granted = [name for name in asked if is_admin]
    return Answer(200, {"globalPermissions": granted, "projectPermissions": []})


def _bulk_operations(api: Api, submit: str, delete: str) -> list[Operation]:
    submission = partial(submit_entities, api)
    deletion = partial(delete_by_properties, api)
    return [
        Operation(api, submit, "POST", "/bulk", "WRITE", submission, takes_body=True),
        Operation(api, delete, "DELETE", "/bulkByProperties", "DELETE", deletion),
    ]


def _operations_by_id(api: Api, kind: Kind, folder: str) -> list[Operation]:
    name, path = f"{kind.capitalize()}ById", f"/{folder}/{{id}}"
    return [
        Operation(api, f"get{name}", "GET", path, "READ", partial(get_entity, kind)),
        Operation(api, f"delete{name}", "DELETE", path, "DELETE", partial(delete_entity, kind)),
    ]


ALL_OPERATIONS = (
    Operation(
        OPERATIONS,
        "submitOperationsWorkspaces",
        "POST",
        "/linkedWorkspaces/bulk",
        "WRITE",
        submit_workspaces,
        takes_body=True,
    ),
    Operation(
        OPERATIONS,
        "deleteWorkspaces",
        "DELETE",
        "/linkedWorkspaces/bulk",
        "DELETE",
        delete_workspaces,
    ),
    Operation(OPERATIONS, "getWorkspaces", "GET", "/linkedWorkspaces", "READ", get_workspaces),
    *_bulk_operations(OPERATIONS, "submitEntity", "deleteEntityByProperty"),
    *_operations_by_id(OPERATIONS, Kind.INCIDENT, "incidents"),
    *_operations_by_id(OPERATIONS, Kind.REVIEW, "post-incident-reviews"),
    *_bulk_operations(COMPONENTS, "submitComponents", "deleteComponentsByProperty"),
    *_operations_by_id(COMPONENTS, Kind.COMPONENT, "devopscomponents"),
    Operation(
        APP_PROPERTIES,
        "getAddonProperty",
        "GET",
        "/addons/{addonKey}/properties/{propertyKey}",
        None,
        get_app_property,
    ),
    Operation(
        PLATFORM,
        "getBulkPermissions",
        "POST",
        "/permissions/check",
        "READ",
        check_permissions,
        takes_body=True,
    ),
)


def find_operation(method: str, path: str) -> FoundOperation:
    """Finds the operation of a raw path, relative to the site's base URL; Refusal (404, 405)."""
    segments = path.split("/")
    at_path = [one for one in ALL_OPERATIONS if _fits(one.segments, segments)]
    if not at_path:
        raise Refusal(404, f"There is no operation at {path}.")
    for operation in at_path:
        if operation.method == method:
            return FoundOperation(operation, _parameters(operation.segments, segments))
    raise Refusal(405, f"{method} is not allowed at {path}.")


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        bool(segment) if _is_parameter(name) else name == segment
        for name, segment in zip(template, segments, strict=True)
    )


def _parameters(template: list[str], segments: list[str]) -> dict[str, str]:
    return {
        name[1:-1]: unquote(segment)
        for name, segment in zip(template, segments, strict=True)
        if _is_parameter(name)
    }


def _is_parameter(name: str) -> bool:
    return name.startswith("{")


def _submit(
    site: Site, kind: Kind, submitted: StoredEntity, faults: EntityFaults, outcome: _Outcome
) -> None:
    entity, entity_id = submitted.entity, submitted.entity["id"]
    problems = ENTITY[kind].problems(entity)
    if entity_id in faults.refused:
        problems.append(faults.refused[entity_id])
    if problems:
        outcome.failed.setdefault(entity_id, []).extend(error_messages(problems))
        return
    projects = check_projects(entity, site.project_keys)
    outcome.unknown_projects.update(dict.fromkeys(projects.unknown))
    if not projects.is_stored:
        return
    if entity_id not in faults.unnamed:
        outcome.accepted[entity_id] = None
    if entity_id not in faults.lost:
        site.store.submit(kind, submitted)
