"""Faults that fall on single entities of a submission; `rate` is per entity."""

from abc import abstractmethod
from random import Random
from typing import ClassVar

from ..entity_faults import EntityFaults
from ..refusal import Refusal
from .fault import Course, Fault, Schema

_MESSAGE: Schema = {"message": {"type": "string"}}


class EntityFault(Fault):
    def falls(self) -> bool:
        return True

    def befall(self, course: Course) -> None:
        # The lots are drawn as the call comes in: what else is under way does not change them.
        lots = Random(self.lots.getrandbits(64))  # noqa: S311

        def choose(ids: list[str], faults: EntityFaults) -> None:
            chosen = [one for one in ids if self.is_for_entity(one) and lots.random() < self.rate]
            if chosen and not self.spent:
                self.count(course)
                self.take(chosen, faults)

        course.choices.append(choose)

    @abstractmethod
    def take(self, chosen: list[str], faults: EntityFaults) -> None:
        """Write down what befalls the entities with these ids, or raise a Refusal."""


class RefuseEntity(EntityFault):
    kind = "refuse entity"
    schema: ClassVar[Schema] = _MESSAGE

    def take(self, chosen: list[str], faults: EntityFaults) -> None:
        message: str = self.parameters.get("message", "The entity is refused.")
        faults.refused.update(dict.fromkeys(chosen, message))


class RefuseRequest(EntityFault):
    """The answer does not tell which entity it was: a client has to find out."""

    kind = "refuse request"
    schema: ClassVar[Schema] = _MESSAGE

    def take(self, chosen: list[str], faults: EntityFaults) -> None:  # noqa: ARG002
        raise Refusal(400, self.parameters.get("message", "The request is refused."))


class Lose(EntityFault):
    kind = "lose"

    def take(self, chosen: list[str], faults: EntityFaults) -> None:
        faults.lost.update(chosen)


class Unnamed(EntityFault):
    kind = "unnamed"

    def take(self, chosen: list[str], faults: EntityFaults) -> None:
        faults.unnamed.update(chosen)
