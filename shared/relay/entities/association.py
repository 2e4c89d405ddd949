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
    ari: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    id: SiteEntityId


class Target(_Tolerant):
    """What the entity is associated with: `ati` is its type, `id` its id in the site `cloudId`."""

    ati: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    ari: Annotated[str, Field(max_length=_ARI_MAX)] = ""
    cloudId: Annotated[str, Field(max_length=200)] | None = None
    id: Annotated[str, Field(max_length=_ARI_MAX)] = ""


class Associated(_Tolerant):
    entity: AssociatedEntity
    associatedWith: Target


class Disassociated(_Tolerant):
    entity: AssociatedEntity
    disassociatedFrom: Target


@dataclass(frozen=True, slots=True)
class AssociationChange:
    """`entity_id` is the id at the site. `kind` is None where the ARI does not tell it; the record
    then does, by the id."""

    entity_id: str
    kind: Kind | None
    target: Target


def parse_associated(body: bytes) -> AssociationChange:
    """Raises TooLarge, BadRequest."""
    call = parse_document(Associated, body, "an association")
    return _change(call.entity, call.associatedWith)


def parse_disassociated(body: bytes) -> AssociationChange:
    """Raises TooLarge, BadRequest."""
    call = parse_document(Disassociated, body, "the end of an association")
    return _change(call.entity, call.disassociatedFrom)


def kind_of_ari(ari: str) -> Kind | None:
    match = _ARI.fullmatch(ari)
    return _KINDS.get(match["kind"]) if match else None


def _change(entity: AssociatedEntity, target: Target) -> AssociationChange:
    return AssociationChange(entity.id, kind_of_ari(entity.ari), target)
