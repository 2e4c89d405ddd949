"""The shapes of Relay's JSON answers: one `TypedDict` for each, with the limits OpenAPI states.

Functions import these for type checking only, so they cost nothing when a Lambda starts.
`infra.openapi` reads them, and the text below each field, to write `docs/openapi.json`.

A field that is `NotRequired` may be absent. The code that builds a shape may set it to None;
`relay.edge.answer.present` then drops it.
"""

from typing import NotRequired

from typing_extensions import TypedDict


class Page(TypedDict):
    """A page of a list. A page may hold fewer than `limit` members, or none, without being the
    last one. The last page has no `next`."""

    next: NotRequired[str | None]
    """The cursor of the following page: pass it as `after`, unchanged and percent-encoded. Absent
    in the last page."""
