"""How a source maps what its tool sends."""

from typing import Annotated

from pydantic import Field

from relay.entities.fields import TEXT_MAX, ContainerId, Document
from relay.entities.model import SeverityLevel
from relay.sources.custom_mapping import CustomMapping

_HEADER_PATTERN = r"^[A-Za-z0-9-]{1,100}$"
_Name = Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]


class SourceSettings(Document):
    """Every field is optional."""

    component: ContainerId | None = None
    """The id of the container that an incident affects if the tool names no service. By default,
    one that is named after the tool."""
    severities: Annotated[dict[_Name, SeverityLevel], Field(max_length=50)] | None = None
    """Jira's level for names of severities, in any case, such as `{"sev-high": "P2"}`. It comes
    before Relay's own table."""
    issueKeys: (
        bool
        | Annotated[
            list[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$")]], Field(max_length=50)
        ]
    ) = True
    """Whether Jira issues whose keys occur in the title, the description or a label `jira` are
    associated; or the keys of the projects whose issues are."""
    makeContainers: bool = True
    """Whether services that the tool names become containers of the workspace."""
    mapping: CustomMapping | None = None
    """Of the kind `custom` only, and required there: an expression for each field."""
    signatureHeader: Annotated[str, Field(pattern=_HEADER_PATTERN)] | None = None
    """Of the kind `grafana` only: the header that carries the signature."""
    timestampHeader: Annotated[str, Field(pattern=_HEADER_PATTERN)] | None = None
    """Of the kind `grafana` only: the header that carries the signature's time."""
