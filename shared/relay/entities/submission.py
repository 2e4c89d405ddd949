"""A submission of the operations tool: parsed as a whole, judged entity by entity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.entities.fields import ID_MAX, Properties
from relay.entities.model import MODELS, Kind
from relay.entities.state import EntityState
from relay.errors import BadRequest, Detail, TooLarge

DETAILS_PER_ENTITY_MAX = 10
# More than one answer can tell: a body of nothing but `{}` would take a minute to judge.
DETAILS_MAX = 50_000
# The record keeps an entity in one DynamoDB item of at most 400 KB, with its properties beside it.
ENTITY_BYTES_MAX = 350_000
_NAME_SHOWN_MAX = 100


class Envelope(BaseModel):
    """The body of a submission; its entities are judged one by one, later."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    incidents: list[Any] = Field(default_factory=list)
    reviews: list[Any] = Field(default_factory=list)
    properties: Properties = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the entity at `index` of its list; rejected where there are `details`."""

    kind: Kind
    index: int
    id: str | None
    details: tuple[Detail, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.kind.plural}[{self.index}]"

    @property
    def accepted(self) -> bool:
        return not self.details


@dataclass(frozen=True, slots=True)
class Submission:
    """`accepted` and the accepted ones among `verdicts` are the same entities in the same order."""

    verdicts: tuple[Verdict, ...]
    accepted: tuple[EntityState, ...]


def parse_submission(body: bytes) -> Submission:
    """Judge a submission's body.

    Raises BadRequest where the body as a whole is no submission: not JSON, not UTF-8, an unknown
    field, bad `properties`, or no entity at all; TooLarge where more is wrong with it than can be
    told. One bad entity never sinks the others.
    """
    envelope = _parse_envelope(body)
    verdicts: list[Verdict] = []
    accepted: list[EntityState] = []
    told = 0
    for kind, entities in ((Kind.INCIDENT, envelope.incidents), (Kind.REVIEW, envelope.reviews)):
        for index, entity in enumerate(entities):
            verdict, state = _judge(kind, index, entity, envelope.properties)
            verdicts.append(verdict)
            if state:
                accepted.append(state)
            told += len(verdict.details)
            if told > DETAILS_MAX:
                rule = Detail("", "max_details", "Split the submission; nothing of it was taken")
                raise TooLarge("There is too much wrong with this submission.", [rule])
    return Submission(tuple(verdicts), tuple(accepted))


def details_of(error: ValidationError, prefix: str = "") -> tuple[Detail, ...]:
    """pydantic's findings as Relay's details, at most ten; no value of the input is repeated."""
    findings = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        Detail(_path(prefix, finding["loc"]), finding["type"], finding["msg"])
        for finding in findings[:DETAILS_PER_ENTITY_MAX]
    )


def _parse_envelope(body: bytes) -> Envelope:
    try:
        # A number that JSON does not know, such as NaN, is no JSON to Jira either.
        document = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(
            "The body is not JSON in UTF-8.", [Detail("", "json", str(error))]
        ) from None
    try:
        envelope = Envelope.model_validate(document)
    except ValidationError as error:
        raise BadRequest("The body is not a submission.", details_of(error)) from None
    if not envelope.incidents and not envelope.reviews:
        missing = Detail(
            "incidents", "missing", "A submission needs at least one incident or review"
        )
        raise BadRequest("The submission holds no entity.", [missing])
    return envelope


def _judge(
    kind: Kind, index: int, entity: Any, properties: dict[str, str]
) -> tuple[Verdict, EntityState | None]:
    try:
        valid = MODELS[kind].model_validate(entity)
    except ValidationError as error:
        prefix = f"{kind.plural}[{index}]"
        return Verdict(kind, index, _id_of(entity), details_of(error, prefix)), None
    state = EntityState(kind, valid.as_json(), properties)
    if len(state.as_json) > ENTITY_BYTES_MAX:
        message = f"An entity should have at most {ENTITY_BYTES_MAX} bytes of JSON"
        detail = Detail(f"{kind.plural}[{index}]", "max_bytes", message)
        return Verdict(kind, index, valid.id, (detail,)), None
    return Verdict(kind, index, valid.id), state


def _id_of(entity: Any) -> str | None:
    """The id of a rejected entity, where it has one that can be repeated to its sender."""
    found = entity.get("id") if isinstance(entity, dict) else None
    return found if isinstance(found, str) and len(found) <= ID_MAX else None


def _path(prefix: str, location: Sequence[str | int]) -> str:
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            # The name of an unknown field is its sender's, and may be as long as the body.
            name = part if len(part) <= _NAME_SHOWN_MAX else f"{part[:_NAME_SHOWN_MAX]}…"
            path += f".{name}" if path else name
    return path
