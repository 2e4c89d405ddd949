"""The REST APIs of Jira: two that an app brings entities by, which work alike, and properties."""

from dataclasses import dataclass
from functools import cached_property

from .descriptor import COMPONENTS_MODULE, OPERATIONS_MODULE
from .schemas import Kind, submission_rule
from .validation import Rule


@dataclass(frozen=True)
class Api:
    """`path` is below the site's base URL; an app may call it if its descriptor has the `module`.

    `outcome` ends the keys of the answer to a submission, whatever kind an entity is of. `resource`
    ends the scopes of Forge: `read:{resource}`.
    """

    path: str
    module: str | None = None
    kinds: tuple[Kind, ...] = ()
    outcome: str = ""
    resource: str = ""

    @cached_property
    def submission(self) -> Rule:
        return submission_rule(self.kinds)


OPERATIONS = Api(
    "/rest/operations/1.0",
    OPERATIONS_MODULE,
    (Kind.INCIDENT, Kind.REVIEW),
    "Incidents",
    "operations-info:jira",
)
COMPONENTS = Api(
    "/rest/devopscomponents/1.0",
    COMPONENTS_MODULE,
    (Kind.COMPONENT,),
    "Components",
    "devops-component-info:jira",
)
APP_PROPERTIES = Api("/rest/atlassian-connect/1")
APIS = (OPERATIONS, COMPONENTS, APP_PROPERTIES)
