"""What an app may call, once a call is known to come from it.

`/rest/operations/1.0/*` has nine operations, `/rest/devopscomponents/1.0/*` has four, and one app
property can be read. Names are those of Jira's own OpenAPI documents. An operation takes a site and
a request, changes the site's store, and returns an answer or raises a Refusal; it knows nothing of
HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

from .apis import APP_PROPERTIES, COMPONENTS, OPERATIONS, Api
from .entity_faults import EntityFaults
from .projects import check_projects
from .refusal import PropertyRefusal, Refusal, error_messages
from .schemas import ENTITY, PROPERTIES, WORKSPACES, Kind
from .sites import Site
from .store import StoredEntity

# Its value is the site's clientKey: the one way of a Forge app without Connect's lifecycle to it.
CLIENT_KEY_PROPERTY = "connect_client_key_019cdff3-8bfb-71fe-9628-875b700aebb8"


@dataclass(frozen=True)
class Request:
    """`parameters` are those of the path, decoded; `body` is None where the call has none."""

    query: list[tuple[str, str]]
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    faults: EntityFaults = field(default_factory=EntityFaults)


@dataclass(frozen=True)
class Answer:
    """`body` None: an empty answer."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class Operation:
    """`path` is below the API's; a `{parameter}` in it is one segment, and not empty.

    `scope` is READ, WRITE or DELETE, or None where none is asked for.
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
        return (self.api.path + self.path).split("/")


@dataclass(frozen=True)
class FoundOperation:
    operation: Operation
    parameters: Mapping[str, str]


@dataclass
class _Outcome:
    """What became of a submission. Jira has no key for reviews: they share those of incidents."""

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
        # An answer has one of these at least: without any, it could be anybody's.
        return found or {f"accepted{api.outcome}": []}


def submit_workspaces(site: Site, request: Request) -> Answer:
    """A link that exists already is ignored, and named among the accepted all the same."""
    WORKSPACES.require(request.body)
    ids = list(dict.fromkeys(request.body["workspaceIds"]))
    for workspace_id in ids:
        if workspace_id not in site.store.workspaces.latest:
            site.store.workspaces.put(workspace_id, workspace_id)
    return Answer(202, {"acceptedWorkspaceIds": ids})


def delete_workspaces(site: Site, request: Request) -> Answer:
    """Ids come as one comma-separated parameter, of at most as many as one may submit."""
    values = [value for name, value in request.query if name == "workspaceIds"]
    ids = ",".join(values).split(",")
    WORKSPACES.require({"workspaceIds": ids})
    for workspace_id in ids:
        site.store.workspaces.remove(workspace_id)
    return Answer(202)


def get_workspaces(site: Site, request: Request) -> Answer:
    linked = site.store.workspaces.visible
    wanted = dict(request.query).get("workspaceId")
    if wanted is None:
        return Answer(200, {"workspaceIds": list(linked)})
    if wanted not in linked:
        raise Refusal(404, f"The workspace {wanted} is not linked.")
    return Answer(200, {"workspaceIds": [wanted]})


def submit_entities(api: Api, site: Site, request: Request) -> Answer:
    """Each entity is judged for itself; 400 is for a request that is wrong as a whole."""
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
    """Deletes what carries all the properties named; at least one must be."""
    if not request.query:
        raise Refusal(400, "Name at least one property to delete by.")
    PROPERTIES.require(dict(request.query))
    site.store.delete_by_properties(api.kinds, request.query)
    return Answer(202)


def get_entity(kind: Kind, site: Site, request: Request) -> Answer:
    held = site.store.entities[kind].visible.get(request.parameters["id"])
    if held is None:
        raise Refusal(404, f"There is no {kind} {request.parameters['id']}.")
    return Answer(200, held.entity)


def delete_entity(kind: Kind, site: Site, request: Request) -> Answer:
    site.store.delete(kind, request.parameters["id"])
    return Answer(202)


def get_app_property(site: Site, request: Request) -> Answer:
    """Of all properties the reserved one alone, and that of the app that the site has or had."""
    addon_key, key = request.parameters["addonKey"], request.parameters["propertyKey"]
    known = addon_key == site.connect_key and key == CLIENT_KEY_PROPERTY
    if not known or not site.switches.client_key_property:
        raise PropertyRefusal(404, "Property with key not found.")
    path = f"{APP_PROPERTIES.path}/addons/{addon_key}/properties/{key}"
    return Answer(200, {"self": site.base_url + path, "key": key, "value": site.client_key})


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
)


def find_operation(method: str, path: str) -> FoundOperation:
    """The operation at a raw path below the site's base URL; a Refusal (404, 405) for none."""
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
    if not projects.kept:
        return
    if entity_id not in faults.unnamed:
        outcome.accepted[entity_id] = None
    if entity_id not in faults.lost:
        site.store.submit(kind, submitted)
