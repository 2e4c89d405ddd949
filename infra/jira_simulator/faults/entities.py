"""Faults of single entities of a submission; `rate` is per entity."""

from abc import abstractmethod
from random import Random
from typing import ClassVar

from ..entity_faults import EntityFaults
from ..refusal import Refusal
from .fault import Course, Fault, Schema

_MESSAGE: Schema = {"message": {"type": "string"}}


class EntityFault(Fault):
    def is_drawn(self) -> bool:
        return True

    def apply(self, course: Course) -> None:
        # Seeded as the call comes in: other calls under way do not change what is drawn.
        rng = Random(self.rng.getrandbits(64))  # noqa: S311

        def choose(ids: list[str], faults: EntityFaults) -> None:
            chosen = [one for one in ids if self.is_for_entity(one) and rng.random() < self.rate]
            if chosen and not self.spent:
                self.count(course)
                self.mark(chosen, faults)

        course.choices.append(choose)

    @abstractmethod
    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        """Write these ids into the faults, or raise a Refusal."""


class RefuseEntity(EntityFault):
    kind = "refuse entity"
    schema: ClassVar[Schema] = _MESSAGE

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        message: str = self.parameters.get("message", "The entity is refused.")
        faults.refused.update(dict.fromkeys(chosen, message))


class RefuseRequest(EntityFault):
    """The answer does not name the entity: a client has to find it."""

    kind = "refuse request"
    schema: ClassVar[Schema] = _MESSAGE

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:  # noqa: ARG002
        raise Refusal(400, self.parameters.get("message", "The request is refused."))


class Lose(EntityFault):
    kind = "lose"

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        faults.lost.update(chosen)


class Unnamed(EntityFault):
    kind = "unnamed"

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        faults.unnamed.update(chosen)
