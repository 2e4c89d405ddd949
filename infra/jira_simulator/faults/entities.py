"""Faults that fall on single entities of a submission; `rate` is per entity."""

import re
from abc import abstractmethod
from random import Random
from typing import ClassVar

from ..entity_faults import EntityFaults
from ..refusal import Refusal
from .course import Course
from .fault import Fault, Parameters, Schema

_CHOICE: Schema = {
    "ids": {"type": "array", "items": {"type": "string"}},
    "pattern": {"type": "string", "format": "regex"},
}
_MESSAGE: Schema = {"message": {"type": "string"}}


class EntityFault(Fault):
    """Meant for entities whose id is in `ids` or holds a match of `pattern`: for all, without."""

    schema: ClassVar[Schema] = _CHOICE

    def __init__(self, parameters: Parameters, lots: Random, set_at: float) -> None:
        super().__init__(parameters, lots, set_at)
        self._ids = frozenset(parameters.get("ids", ()))
        self._pattern = re.compile(parameters["pattern"]) if "pattern" in parameters else None
        self._all = "ids" not in parameters and "pattern" not in parameters

    def falls(self) -> bool:
        return True

    def befall(self, course: Course) -> None:
        # The lots are drawn as the call comes in: what else is under way does not change them.
        lots = Random(self.lots.getrandbits(64))  # noqa: S311

        def choose(ids: list[str], faults: EntityFaults) -> None:
            chosen = [one for one in ids if self._is_meant(one) and lots.random() < self.rate]
            if chosen and not self.spent:
                self.count(course)
                self.take(chosen, faults)

        course.choices.append(choose)

    @abstractmethod
    def take(self, chosen: list[str], faults: EntityFaults) -> None:
        """Write down what befalls the entities with these ids, or raise a Refusal."""

    def _is_meant(self, entity_id: str) -> bool:
        return (
            self._all
            or entity_id in self._ids
            or (self._pattern is not None and self._pattern.search(entity_id) is not None)
        )


class RefuseEntity(EntityFault):
    kind = "refuse entity"
    schema: ClassVar[Schema] = _CHOICE | _MESSAGE

    def take(self, chosen: list[str], faults: EntityFaults) -> None:
        message: str = self.parameters.get("message", "The entity is refused.")
        faults.refused.update(dict.fromkeys(chosen, message))


class RefuseRequest(EntityFault):
    """The answer does not tell which entity it was: a client has to find out."""

    kind = "refuse request"
    schema: ClassVar[Schema] = _CHOICE | _MESSAGE

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
