"""A submission of the operations tool: parsed as a whole, validated entity by entity."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from relay.entities.document import details_of, without_mark
from relay.entities.fields import ID_MAX, TEXT_MAX, DateTime, Document, Properties
from relay.entities.json_text import is_text, read_json, split_elements, strict_json
from relay.entities.model import MODELS, EntityState, Kind
from relay.entities.moment import moment_of
from relay.errors import BadRequest, Detail, TooLarge

# More errors than one answer can hold: a body full of `{}` would take a minute to validate.
DETAILS_MAX = 50_000
# The record stores an entity and its properties in one DynamoDB item of at most 400 KB.
ENTITY_BYTES_MAX = 350_000
# No body can hold this many valid entities, so more elements have too many errors.
_ELEMENTS_MAX = 2 * DETAILS_MAX


class ProviderMetadata(Document):
    """The sender of a submission."""

    product: Annotated[str, Field(max_length=TEXT_MAX)] | None = None
    """The operations tool's name, which Relay passes on to Jira."""


_Times = Annotated[list[DateTime], Field(fail_fast=True)]


class AcceptedAt(Document):
    """When another deployment has accepted each state: a list for each list of the submission."""

    incidents: _Times | None = None
    """The times of the incidents, in their order."""
    reviews: _Times | None = None
    """The times of the reviews, in their order."""


class Envelope(Document):
    """The body of a submission; its entities are validated one by one, later.

    Null counts as absent: Go's JSON encoder writes it for an empty list.
    """

    incidents: list[Any] | None = None
    """Incidents. If an incident occurs with several states, the newest counts."""
    reviews: list[Any] | None = None
    """Post-incident reviews. If a review occurs with several states, the newest counts."""
    properties: Properties | None = None
    """Names and values of your own, which all entities of this submission carry. They can be
    deleted by them later, as with `{"region": "eu"}`. A name has no `:` and does not begin
    with `_`; `relayWorkspace` is Relay's own."""
    providerMetadata: ProviderMetadata | None = None
    """The operations tool that submits."""
    acceptedAt: AcceptedAt | None = None
    """For states that another deployment has exported. An entity that was deleted since then stays
    deleted. A time in the future counts as now, and so does no time."""

    @model_validator(mode="after")
    def _a_time_for_each(self) -> Self:
        for kind in Kind:
            times = self.times(kind)
            if times and len(times) != len(self.entities(kind)):
                raise ValueError(f"acceptedAt.{kind.plural} should have a time for each state")
        return self

    def entities(self, kind: Kind) -> list[Any]:
        """The submitted entities of this kind, not validated."""
        found = self.incidents if kind is Kind.INCIDENT else self.reviews
        return found or []

    def times(self, kind: Kind) -> list[str]:
        """When these entities were accepted elsewhere; empty if that is not given."""
        times = self.acceptedAt or AcceptedAt()
        return (times.incidents if kind is Kind.INCIDENT else times.reviews) or []

    @property
    def product(self) -> str:
        """The operations tool's name; "" if the submission gives none."""
        return (self.providerMetadata and self.providerMetadata.product) or ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for the entity at `index` of its list: rejected if there are `details`."""

    kind: Kind
    index: int
    id: str | None
    details: tuple[Detail, ...] = ()

    @property
    def path(self) -> str:
        """The entity's place in the body, such as `incidents[3]`."""
        return f"{self.kind.plural}[{self.index}]"

    @property
    def accepted(self) -> bool:
        """Whether the entity breaks no rule."""
        return not self.details


@dataclass(frozen=True, slots=True)
class Submission:
    """`accepted` and the accepted ones among `verdicts` are the same entities in the same order."""

    verdicts: tuple[Verdict, ...]
    accepted: tuple[EntityState, ...]


def parse_submission(body: bytes) -> Submission:
    """Validate a submission's body.

    Raises BadRequest if the body as a whole is invalid: broken JSON structure, an unknown field,
    invalid `properties`, or no entity; TooLarge if it has more errors than one answer can hold. An
    invalid entity does not affect the others, even if it is not JSON.
    """
    parsed = _parse(without_mark(body))
    verdicts: list[Verdict] = []
    accepted: list[EntityState] = []
    errors = 0
    for kind in Kind:
        for index, (entity, fault) in enumerate(parsed.entities(kind)):
            verdict, state = _validated(kind, index, entity, fault, parsed.envelope)
            verdicts.append(verdict)
            if state:
                accepted.append(state)
            errors += len(verdict.details)
            if errors > DETAILS_MAX:
                raise _too_many_details()
    return Submission(tuple(verdicts), tuple(accepted))


@dataclass(frozen=True, slots=True)
class _Parsed:
    """If the body is not strict JSON, the envelope's lists hold indices of `elements`, the entities
    as they were sent."""

    envelope: Envelope
    elements: list[bytes] | None = None

    def entities(self, kind: Kind) -> Iterator[tuple[Any, str]]:
        """Each entity, and why its text is not JSON, which is empty if it is."""
        for entity in self.envelope.entities(kind):
            yield (entity, "") if self.elements is None else read_json(self.elements[entity])


def _parse(body: bytes) -> _Parsed:
    elements: list[bytes] | None = None
    try:
        document, fault = strict_json(body), ""
    except ValueError as error:
        document, fault, elements = _parse_elements(body, str(error))
    try:
        envelope = Envelope.model_validate(document)
    except ValidationError as error:
        raise BadRequest("The body is not a submission.", details_of(error)) from None
    if fault:
        raise _not_json(fault)
    if not any(envelope.entities(kind) for kind in Kind):
        missing = Detail(
            "incidents", "missing", "A submission needs at least one incident or review"
        )
        raise BadRequest("The submission has no entities.", [missing])
    return _Parsed(envelope, elements)


def _parse_elements(body: bytes, fault: str) -> tuple[Any, str, list[bytes]]:
    """The body with an index for each entity, why even that is not JSON, and the entities.

    Raises BadRequest, with the whole body's `fault`, if its structure is broken.
    """
    try:
        skeleton, elements = split_elements(body, _ELEMENTS_MAX)
    except ValueError:
        raise _not_json(fault) from None
    if len(elements) > _ELEMENTS_MAX:
        raise _too_many_details()
    document, left = read_json(skeleton)
    if left and document is None:
        raise _not_json(fault)
    return document, left, elements


def _not_json(fault: str) -> BadRequest:
    return BadRequest("The body is not JSON in UTF-8.", [Detail("", "json", fault)])


def _too_many_details() -> TooLarge:
    rule = Detail("", "max_details", "Split the submission; nothing was accepted")
    return TooLarge("The submission has too many errors; split it.", [rule])


def _validated(
    kind: Kind, index: int, entity: Any, fault: str, envelope: Envelope
) -> tuple[Verdict, EntityState | None]:
    path = f"{kind.plural}[{index}]"
    not_json = Detail(path, "json", fault)
    if fault and entity is None:
        return Verdict(kind, index, None, (not_json,)), None
    try:
        valid = MODELS[kind].model_validate(entity)
    except ValidationError as error:
        return Verdict(kind, index, _id_of(entity), details_of(error, path)), None
    if fault:
        # A field that was sent twice may hide the invalid value of the first.
        return Verdict(kind, index, valid.id, (not_json,)), None
    times = envelope.times(kind)
    state = EntityState(
        kind,
        valid.as_json(),
        envelope.properties or {},
        _milliseconds(times[index]) if times else 0,
        product=envelope.product,
    )
    if len(state.as_json) > ENTITY_BYTES_MAX:
        message = f"An entity should have at most {ENTITY_BYTES_MAX} bytes of JSON"
        return Verdict(kind, index, valid.id, (Detail(path, "max_bytes", message),)), None
    return Verdict(kind, index, valid.id), state


def _milliseconds(accepted_at: str) -> int:
    # 0 is no time.
    return max(1, min(int(time.time() * 1000), round(moment_of(accepted_at).timestamp() * 1000)))


def _id_of(entity: Any) -> str | None:
    """The id of a rejected entity, where it has one that can be repeated to its sender."""
    found = entity.get("id") if isinstance(entity, dict) else None
    return found if isinstance(found, str) and len(found) <= ID_MAX and is_text(found) else None
