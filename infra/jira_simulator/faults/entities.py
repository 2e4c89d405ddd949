"""Faults of single entities of a submission; `rate` is per entity."""

from abc import abstractmethod
from random import Random
from typing import ClassVar

from ..entity_faults import EntityFaults
from ..refusal import Refusal
from .fault import Course, Fault, Schema

_MESSAGE: Schema = {"message": {"type": "string"}}


class EntityFault(Fault):
    """A fault of chosen entities in a submission."""

    def is_drawn(self) -> bool:
        """True: `rate` applies per entity, in `apply`."""
        return True

    def apply(self, course: Course) -> None:
        # Seeded when the call arrives, so that concurrent calls do not change the choice.
        rng = Random(self.rng.getrandbits(64))  # noqa: S311

        def choose(ids: list[str], faults: EntityFaults) -> None:
            chosen = [one for one in ids if self.is_for_entity(one) and rng.random() < self.rate]
            if chosen and not self.spent:
                self.count(course)
                self.mark(chosen, faults)

        course.choices.append(choose)

    @abstractmethod
    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        """Adds these ids to the faults, or raises a Refusal."""


class RefuseEntity(EntityFault):
    """The entities fail with `message`."""

    kind = "refuse entity"
    schema: ClassVar[Schema] = _MESSAGE

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        message: str = self.parameters.get("message", "The entity is refused.")
        faults.refused.update(dict.fromkeys(chosen, message))


class RefuseRequest(EntityFault):
    """Refuses the whole request; the answer does not name the entity."""

    kind = "refuse request"
    schema: ClassVar[Schema] = _MESSAGE

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:  # noqa: ARG002
        raise Refusal(400, self.parameters.get("message", "The request is refused."))


class Lose(EntityFault):
    """The entities are accepted, but not stored."""

    kind = "lose"

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        faults.lost.update(chosen)


class Unnamed(EntityFault):
    """The entities are stored, but the answer does not contain them."""

    kind = "unnamed"

    def mark(self, chosen: list[str], faults: EntityFaults) -> None:
        faults.unnamed.update(chosen)
