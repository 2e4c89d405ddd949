"""The mapping of a source of the kind `custom`: a JMESPath expression for each field."""

from typing import Annotated

from pydantic import Field

from relay.entities.fields import Document

EXPRESSION_MAX = 1000
Expression = Annotated[str, Field(min_length=1, max_length=EXPRESSION_MAX)]


class CustomMapping(Document):
    """JMESPath expressions, one for each field of an incident. Each is evaluated on the payload,
    or, with `items`, on each of its items."""

    items: Expression | None = None
    """The list of incidents in the payload. Without it, the payload is one incident."""
    ignore: Expression | None = None
    """Whether the item is ignored: anything but null, false, and an empty text, list or object."""
    event: Expression | None = None
    """The event's name in the list of deliveries; evaluated on the payload. "event" by default."""
    id: Expression
    """The tool's own id of the incident: a text or a whole number, the same in all its events."""
    lastUpdated: Expression
    """When the incident changed: a date-time with an offset, or seconds, milliseconds, microseconds
    or nanoseconds since 1970. It orders the incident's states."""
    status: Expression
    """One of `open`, `resolved` and `unknown`, in any case."""
    summary: Expression
    """The incident's title."""
    description: Expression | None = None
    """The incident's text."""
    createdDate: Expression | None = None
    """When the incident began, like `lastUpdated`, which is the default."""
    url: Expression | None = None
    """The incident's page in the tool."""
    severity: Expression | None = None
    """The name of the severity; `severities` and Relay's own table give Jira's level for it."""
    affectedComponents: Expression | None = None
    """What the incident affects: a name, or an object with an `id`, a `name` or both, and maybe a
    `url`; or a list of these."""
    issueKeys: Expression | None = None
    """The Jira issues to associate: a text that contains keys, or a list of texts."""
