"""What anyone may call."""

from typing import Literal

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import HTML, SVG, Answer, Caller, Example, Operation
from infra.openapi.parameters import COMPONENT_QUERY, INCIDENT_ID, INCIDENT_QUERY
from infra.openapi.schemas import ABSENT, Shape
from infra.openapi.template import Route
from relay.entities.fields import Url

TAG = "Public"


class DescriptorVendor(Shape):
    """Who offers the app."""

    name: str
    """The vendor's name."""
    url: Url
    """The vendor's page."""


class DescriptorAuthentication(Shape):
    """How Jira proves its calls."""

    type: Literal["jwt"]
    """By a JSON Web Token."""


class DescriptorMigrations(Shape):
    """Changes of Atlassian Connect that the app has gone along with."""

    signed_install: Literal[True] = Field(alias="signed-install")
    """Installs are signed with Atlassian's own key."""
    context_qsh: Literal[True] = Field(alias="context-qsh")
    """Tokens of a page's context have a `qsh` of their own."""


class DescriptorLifecycle(Shape):
    """Which of the app's paths Jira calls when something happens to the installation."""

    installed: str
    """On an install."""
    uninstalled: str
    """When the app is uninstalled."""
    enabled: str
    """When the app is enabled."""
    disabled: str
    """When the app is disabled."""


class DescriptorName(Shape):
    """A name that Jira shows."""

    value: str
    """The name."""
    i18n: str = ABSENT
    """The key of its translations; absent where it has none."""


class DescriptorAction(Shape):
    """Where an action leads: Jira calls `templateUrl`, and people follow `url`."""

    templateUrl: str = ABSENT
    """The path that Jira calls."""
    url: str = ABSENT
    """The link, into which Jira fills ids."""


class _DescriptorModule(Shape):
    key: str
    """The module's key in the app."""
    name: DescriptorName
    """The name that Jira shows for the module."""
    homeUrl: Url
    """The operations tool's page."""
    logoUrl: Url
    """The logo that Jira shows."""
    documentationUrl: Url
    """A page that explains the app."""


class OperationsInfoActions(Shape):
    """The actions of `jiraOperationsInfoProvider`."""

    fetchWorkspaces: DescriptorAction
    """What workspaces are called."""
    searchContainers: DescriptorAction
    """Containers, by name."""
    createPostIncidentReview: DescriptorAction = ABSENT
    """Where a review is written; absent where the deployment has it off."""
    onEntityAssociated: DescriptorAction
    """An entity was associated with something."""
    onEntityDisassociated: DescriptorAction
    """An entity is no longer associated with something."""


class OperationsInfoModule(_DescriptorModule):
    """Jira's module for incidents and reviews."""

    actions: OperationsInfoActions
    """What Jira may ask the app, or tell it."""


class ComponentActions(Shape):
    """The actions of `jiraDevOpsComponentProvider`."""

    associate: DescriptorAction
    """A user associates a component with an issue."""
    disassociate: DescriptorAction
    """A user takes a component from an issue."""


class ComponentModule(_DescriptorModule):
    """Jira's module for DevOps components."""

    actions: ComponentActions
    """What Jira may ask the app, or tell it."""


class DescriptorModules(Shape):
    """What the app adds to Jira."""

    jiraOperationsInfoProvider: OperationsInfoModule
    """Incidents and reviews."""
    jiraDevOpsComponentProvider: ComponentModule = ABSENT
    """DevOps components; absent where the deployment has them off."""


class Descriptor(Shape):
    """Atlassian Connect's descriptor of the app."""

    key: str
    """The app's key."""
    name: str
    """The app's name."""
    description: str
    """What the app does."""
    vendor: DescriptorVendor
    """The vendor."""
    baseUrl: Url
    """This deployment's base URL, which all paths follow."""
    authentication: DescriptorAuthentication
    """How Jira proves its calls."""
    apiVersion: int
    """Raised with each change of the descriptor that sites must take up."""
    apiMigrations: DescriptorMigrations
    """Changes of Atlassian Connect that the app has gone along with."""
    scopes: list[Literal["READ", "WRITE", "DELETE"]]
    """What the app may do in Jira."""
    lifecycle: DescriptorLifecycle
    """Which paths Jira calls when something happens to the installation."""
    modules: DescriptorModules
    """What the app adds to Jira."""


class Health(Shape):
    """The API answers."""

    status: Literal["ok"]
    """It is well."""


OPERATIONS = (
    Operation(
        Route("GET", "/atlassian-connect.json"),
        "getDescriptor",
        TAG,
        Caller.ANYONE,
        "The app's descriptor, from which a site installs it",
        [Answer(200, "The descriptor, with this deployment's own URL.", Descriptor)],
        [Example("descriptor", 200)],
    ),
    Operation(
        Route("GET", "/health"),
        "getHealth",
        TAG,
        Caller.ANYONE,
        "Whether the API answers",
        [Answer(200, "It does.", Health)],
        [Example("health", 200, answer={"status": "ok"})],
    ),
    Operation(
        Route("GET", "/about"),
        "getAboutPage",
        TAG,
        Caller.ANYONE,
        "A page that tells a Jira admin what the app does",
        [Answer(200, "The page.", media=HTML)],
        [Example("page", 200)],
        "The descriptor leads to it where the deployment names no pages of its own.",
    ),
    Operation(
        Route("GET", "/logo.svg"),
        "getLogo",
        TAG,
        Caller.ANYONE,
        "The app's logo",
        [Answer(200, "The logo.", media=SVG)],
        [Example("logo", 200)],
    ),
    Operation(
        Route("GET", "/post-incident-reviews/new"),
        "followReviewLink",
        TAG,
        Caller.ANYONE,
        "Jira's link to where a review is written",
        [
            Answer(
                302,
                "On to the operations tool's own page, by the deployment's ReviewUrlTemplate.",
                headers={"Location": "The page, with the ids percent-encoded into it."},
            ),
            Answer(404, "A page that says what to configure, where there is none.", media=HTML),
        ],
        [
            Example(
                "link",
                302,
                query={"incident": INCIDENT_ID, "component": "checkout-api"},
            )
        ],
        "A link in a browser, without a token: it reads nothing, and answers the same whether "
        "there is such an incident or not.",
        [
            INCIDENT_QUERY,
            COMPONENT_QUERY,
        ],
        errors=[errors.LONG_ID],
    ),
)
