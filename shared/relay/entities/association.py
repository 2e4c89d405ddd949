"""What Jira says when a user associates an entity with something, such as an issue."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from relay.entities.document import parse_document
from relay.entities.fields import SiteEntityId
from relay.entities.model import Kind

# ari:cloud:jira:{siteId}:incident/activation/{activationId}/{id}; the documents' own example has
# nothing where the kind stands.
_ARI = re.compile(r"ari:cloud:jira:[^:]*:(?P<kind>[^/:]*)/activation/[^/]+/.+", re.DOTALL)
_KINDS = {"incident": Kind.INCIDENT, "post-incident-review": Kind.REVIEW}
_ARI_MAX = 2000


class _Tolerant(BaseModel):
    # Jira may send more, among it who did it: what is not named here is not kept.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class AssociatedEntity(_Tolerant):
    """The incident or review, with its id at the site."""

    ari: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    """Its Atlassian Resource Identifier, which shows whether it is an incident or a review."""
    id: SiteEntityId
    """Its id at the site: the workspace's key, a full stop, and the operations tool's own id."""


class Target(_Tolerant):
    """What the entity is associated with."""

    ati: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    """Its type, an Atlassian Type Identifier such as `ati:cloud:jira:issue`."""
    ari: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    """Its Atlassian Resource Identifier."""
    cloudId: Annotated[str, Field(max_length=200)] | None = None
    """Atlassian's id of the site that it is in."""
    id: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    """Its id in that site; an issue's is a number, such as `10068`."""


class Associated(_Tolerant):
    """Jira's call when a user associates an incident or a review with something."""

    entity: AssociatedEntity
    """The incident or review."""
    associatedWith: Target
    """What it is associated with from now on."""


class Disassociated(_Tolerant):
    """Jira's call when a user removes such an association."""

    entity: AssociatedEntity
    """The incident or review."""
    disassociatedFrom: Target
    """What it is no longer associated with."""


@dataclass(frozen=True, slots=True)
class AssociationChange:
    """`entity_id` is the id at the site. `kind` is None where the ARI does not tell it; the record
    then does, by the id."""

    entity_id: str
    kind: Kind | None
    target: Target


def parse_associated(body: bytes) -> AssociationChange:
    """Raises TooLarge, BadRequest."""
    call = parse_document(Associated, body, "an association call")
    return _change(call.entity, call.associatedWith)


def parse_disassociated(body: bytes) -> AssociationChange:
    """Raises TooLarge, BadRequest."""
    call = parse_document(Disassociated, body, "a disassociation call")
    return _change(call.entity, call.disassociatedFrom)


def kind_of_ari(ari: str) -> Kind | None:
    """The kind of entity that the ARI names; None where it names none."""
    match = _ARI.fullmatch(ari)
    return _KINDS.get(match["kind"]) if match else None


def _change(entity: AssociatedEntity, target: Target) -> AssociationChange:
    return AssociationChange(entity.id, kind_of_ari(entity.ari), target)
