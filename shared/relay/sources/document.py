"""A source as the operations tool's team describes it."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from relay.entities.fields import Document
from relay.errors import BadRequest, Detail
from relay.sources.settings import SourceSettings
from relay.sources.tool import KINDS, Tool, tool_of

SOURCE_ID_MAX = 64
SOURCE_ID_PATTERN = rf"^[A-Za-z0-9._~-]{{1,{SOURCE_ID_MAX}}}$"
# Each belongs to one kind, which names it in its `own_settings`.
_OWN_SETTINGS = ("mapping", "signatureHeader", "timestampHeader")


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise PydanticCustomError(
            "kind", "Input should be one of {kinds}", {"kinds": ", ".join(KINDS)}
        )
    return kind


_Secret = Annotated[str, Field(min_length=1, max_length=500)]


class SourceDocument(Document):
    """The webhook of an operations tool, as a source of a workspace's incidents."""

    kind: Annotated[str, AfterValidator(_kind)]
    """The tool that calls. It can't be changed later."""
    secret: Annotated[_Secret | None, Field(repr=False)] = None
    """The secret with which the tool signs its calls. Required when the source is made, if the tool
    signs; later, the stored one stays if this is absent."""
    settings: SourceSettings = Field(default_factory=SourceSettings)
    """How the tool's events are mapped to incidents."""


def check_document(document: SourceDocument, known_kind: str | None, has_secret: bool) -> None:
    """`known_kind` is that of the existing source, which `has_secret` or not; None if the source is
    new. Raises BadRequest, which names every broken rule."""
    details = list(_details(document, tool_of(document.kind), known_kind, has_secret))
    if details:
        raise BadRequest("The source is not valid.", details)


def _details(
    document: SourceDocument, tool: Tool, known_kind: str | None, has_secret: bool
) -> Iterator[Detail]:
    if known_kind not in (None, document.kind):
        yield Detail("kind", "fixed", f"This source is of the kind {known_kind}; add another one")
    if document.secret is not None and tool.verify is None:
        yield Detail("secret", "not_signed", f"{tool.title} does not sign its calls")
    if document.secret is None and tool.signing in ("tool", "user") and not has_secret:
        yield Detail("secret", "missing", f"{tool.title} signs its calls; its secret is needed")
    if document.secret is not None and tool.check_secret:
        try:
            tool.check_secret(document.secret)
        except ValueError:
            yield Detail("secret", "base64", f"{tool.title}'s secret as it shows it, in base64")
    for name in _OWN_SETTINGS:
        if getattr(document.settings, name) is not None and name not in tool.own_settings:
            yield Detail(f"settings.{name}", "wrong_kind", f"Not a setting of {document.kind}")
    try:
        if tool.check:
            tool.check(document.settings)
    except BadRequest as error:
        yield from error.details
