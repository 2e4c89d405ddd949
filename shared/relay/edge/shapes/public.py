"""The app's descriptor and the health check, which anyone may read."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from relay.entities.fields import Url


class DescriptorVendor(TypedDict):
    """The app's vendor."""

    name: str
    """The vendor's name."""
    url: Url
    """The vendor's page."""


class DescriptorAuthentication(TypedDict):
    """How Jira authenticates its calls."""

    type: Literal["jwt"]
    """By a JSON Web Token."""


class DescriptorMigrations(TypedDict):
    """Atlassian Connect's migrations that the app has adopted."""

    signed_install: Annotated[Literal[True], Field(alias="signed-install")]
    """Installs are signed with Atlassian's own key."""
    context_qsh: Annotated[Literal[True], Field(alias="context-qsh")]
    """Tokens for a page's context have their own `qsh`."""


class DescriptorLifecycle(TypedDict):
    """The app's paths that Jira calls when the installation changes."""

    installed: str
    """On an install."""
    uninstalled: str
    """When the app is uninstalled."""
    enabled: str
    """When the app is enabled."""
    disabled: str
    """When the app is disabled."""


class DescriptorName(TypedDict):
    """A name that Jira shows."""

    value: str
    """The name."""
    i18n: NotRequired[str]
    """The key of its translations; absent if it has none."""


class DescriptorAction(TypedDict):
    """The target of an action: Jira calls `templateUrl`, and people follow `url`."""

    templateUrl: NotRequired[str]
    """The path that Jira calls."""
    url: NotRequired[str]
    """The link, into which Jira fills ids."""


class _DescriptorModule(TypedDict):
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


class OperationsInfoActions(TypedDict):
    """The actions of `jiraOperationsInfoProvider`."""

    fetchWorkspaces: DescriptorAction
    """Reads the names of workspaces."""
    searchContainers: DescriptorAction
    """Finds containers by name."""
    createPostIncidentReview: NotRequired[DescriptorAction]
    """Where a review is written; absent if the deployment disables it."""
    onEntityAssociated: DescriptorAction
    """An entity was associated with something."""
    onEntityDisassociated: DescriptorAction
    """An entity is no longer associated with something."""


class OperationsInfoModule(_DescriptorModule):
    """Jira's module for incidents and reviews."""

    actions: OperationsInfoActions
    """The app's paths that Jira calls."""


class ComponentActions(TypedDict):
    """The actions of `jiraDevOpsComponentProvider`."""

    associate: DescriptorAction
    """A user associates a component with an issue."""
    disassociate: DescriptorAction
    """A user removes a component from an issue."""


class ComponentModule(_DescriptorModule):
    """Jira's module for DevOps components."""

    actions: ComponentActions
    """The app's paths that Jira calls."""


class DescriptorCondition(TypedDict):
    """When Jira shows a module."""

    condition: Literal["user_is_admin"]
    """To admins only."""


class DescriptorPage(TypedDict):
    """A page inside Jira."""

    key: str
    """The module's key in the app."""
    name: DescriptorName
    """The name that Jira shows for the page."""
    url: str
    """The page's path."""
    location: NotRequired[str]
    """Where Jira shows the link to the page."""
    conditions: list[DescriptorCondition]
    """When Jira shows the link."""


class DescriptorSection(TypedDict):
    """A section of a menu of Jira's."""

    key: str
    """The module's key in the app."""
    name: DescriptorName
    """The section's title."""
    location: str
    """The menu."""
    conditions: list[DescriptorCondition]
    """When Jira shows the section."""


class DescriptorModules(TypedDict):
    """The modules that the app adds to Jira."""

    jiraOperationsInfoProvider: OperationsInfoModule
    """Incidents and reviews."""
    jiraDevOpsComponentProvider: NotRequired[ComponentModule]
    """DevOps components; absent if the deployment disables them."""
    webSections: list[DescriptorSection]
    """The section of Jira's admin menu that leads to the page for a site's admin."""
    adminPages: list[DescriptorPage]
    """The page for a site's admin."""
    configurePage: DescriptorPage
    """The same page, where Jira lists its apps."""


class Descriptor(TypedDict):
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
    """This deployment's base URL, which all paths are relative to."""
    authentication: DescriptorAuthentication
    """How Jira authenticates its calls."""
    apiVersion: int
    """Raised with each change of the descriptor that sites must adopt."""
    apiMigrations: DescriptorMigrations
    """Atlassian Connect's migrations that the app has adopted."""
    scopes: list[Literal["READ", "WRITE", "DELETE"]]
    """What the app may do in Jira."""
    lifecycle: DescriptorLifecycle
    """The app's paths that Jira calls when the installation changes."""
    modules: DescriptorModules
    """The modules that the app adds to Jira."""


class Health(TypedDict):
    """The API answers."""

    status: Literal["ok"]
    """Always `ok`."""
