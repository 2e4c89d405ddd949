"""Jira's REST APIs: two similar ones that an app submits entities to, app properties, and the
platform's own."""

from dataclasses import dataclass
from functools import cached_property

from .descriptor import COMPONENTS_MODULE, OPERATIONS_MODULE
from .schemas import Kind, submission_rule
from .validation import Rule


@dataclass(frozen=True)
class Api:
    """`path` is below the site's base URL; an app may call it if its descriptor has the `module`.

    The keys of the answer to a submission end with `outcome`, for entities of any kind. Forge's
    scopes end with `resource`: `read:{resource}`.
    """

    path: str
    module: str | None = None
    kinds: tuple[Kind, ...] = ()
    outcome: str = ""
    resource: str = ""

    @cached_property
    def submission(self) -> Rule:
        """The rule for a submission's body."""
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
PLATFORM = Api("/rest/api/3", resource="permission:jira")
APIS = (OPERATIONS, COMPONENTS, APP_PROPERTIES, PLATFORM)
