"""A call with its faults, and what all faults have in common."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, ClassVar
from urllib.parse import unquote

from starlette.responses import Response

from ..entity_faults import EntityFaults
from ..json_body import parse_json
from ..refusal import Refusal
from ..schemas import Kind
from ..sites import Site
from ..wire import WireCall

Parameters = dict[str, Any]
Schema = dict[str, Any]
# Takes the ids of a submission; a Refusal ends the call.
EntityChoice = Callable[[list[str], EntityFaults], None]
AnswerChange = Callable[[Response], Response]


@dataclass
class Course:
    """A call and the effects of its faults.

    `id_in_path` is the id of the one entity that the call is about. `early` is answered instead of
    carrying the call out, after `delay_seconds`, too. `choices` select the entities of a submission
    that have a fault, `changes` change Jira's answer, and `headers` are added to every answer.
    `is_unanswered` ends the changes. `kinds` names the faults that had an effect.
    """

    site: Site
    operation: str
    call: WireCall
    id_in_path: str | None = None
    delay_seconds: float = 0.0
    early: Response | None = None
    choices: list[EntityChoice] = field(default_factory=list)
    changes: list[AnswerChange] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    is_unanswered: bool = False
    kinds: list[str] = field(default_factory=list)

    @property
    def fault(self) -> str | None:
        return ", ".join(self.kinds) or None

    @cached_property
    def submitted(self) -> list[str]:
        """The ids of the entities in the body, which is not validated yet."""
        try:
            document = parse_json(self.call.body)
        except Refusal:
            return []
        document = document if isinstance(document, dict) else {}
        collections = [document.get(kind.collection) for kind in Kind]
        entities = [one for items in collections if isinstance(items, list) for one in items]
        ids = [entity.get("id") for entity in entities if isinstance(entity, dict)]
        return [one for one in ids if isinstance(one, str)]

    @cached_property
    def ids(self) -> list[str]:
        """The ids of every entity that the call is about."""
        return self.submitted if self.id_in_path is None else [self.id_in_path]

    @cached_property
    def text(self) -> str:
        """The path and the query, decoded, and the body as it is."""
        return f"{unquote(self.call.target)}\n{self.call.body.decode(errors='replace')}"

    def entity_faults(self) -> EntityFaults:
        """The faults of the submitted entities; raises a Refusal if one refuses the request."""
        faults = EntityFaults()
        for choose in self.choices:
            choose(self.submitted, faults)
        return faults

    async def answer(self, delay_seconds: float, proceed: Callable[[], Response]) -> Response:
        """`proceed` carries the call out."""
        try:
            await asyncio.sleep(delay_seconds + self.delay_seconds)
        except asyncio.CancelledError:
            # The simulator is being stopped: answer as a Jira that is being stopped.
            return Response(status_code=503)
        response = self.early or self._changed(proceed())
        response.headers.update(self.headers)
        return response

    def _changed(self, response: Response) -> Response:
        for change in self.changes:
            if not self.is_unanswered:
                response = change(response)
        return response


class Fault(ABC):
    """One fault of a list, at one site.

    `parameters` is its document, already validated; `set_at` is when the list was set, on the
    monotonic clock. A subclass has its kind, the schema of its own parameters, and its effect.
    """

    kind: ClassVar[str]
    schema: ClassVar[Schema] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Parameters, rng: Random, set_at: float) -> None:
        self.parameters = parameters
        self.rng = rng
        self.set_at = set_at
        self.rate: float = parameters.get("rate", 1)
        self._operations = parameters.get("operations")
        self._times_left = parameters.get("times", float("inf"))
        self._ids = frozenset(parameters.get("ids", ()))
        self._pattern = _compiled(parameters.get("pattern"))
        self._text = _compiled(parameters.get("text"))
        self._is_for_all = "ids" not in parameters and "pattern" not in parameters

    def draw(self, course: Course) -> None:
        """Apply the fault, if it is meant for the call and drawn for it."""
        if self._is_for(course) and not self.spent and self.is_drawn():
            self.apply(course)

    def is_drawn(self) -> bool:
        return self.rng.random() < self.rate

    def is_for_entity(self, entity_id: str) -> bool:
        if self._is_for_all or entity_id in self._ids:
            return True
        return self._pattern is not None and self._pattern.search(entity_id) is not None

    @property
    def spent(self) -> bool:
        """It has affected as many calls as it may."""
        return bool(self._times_left <= 0)

    def count(self, course: Course) -> None:
        """To be called where the fault has its effect."""
        self._times_left -= 1
        course.kinds.append(self.kind)

    @abstractmethod
    def apply(self, course: Course) -> None:
        """Write the effect into the course."""

    def _is_for(self, course: Course) -> bool:
        if self._operations is not None and course.operation not in self._operations:
            return False
        if self._text is not None and self._text.search(course.text) is None:
            return False
        return self._is_for_all or any(self.is_for_entity(one) for one in course.ids)


class EarlyAnswer(Fault):
    """Answers the call instead of carrying it out."""

    def apply(self, course: Course) -> None:
        if (response := self.answer(course)) is not None:
            self.count(course)
            course.early = response

    @abstractmethod
    def answer(self, course: Course) -> Response | None:
        """None to let the call pass."""


class ChangedAnswer(Fault):
    """Changes the answer of a call that was carried out."""

    def apply(self, course: Course) -> None:
        def change(response: Response) -> Response:
            changed = None if self.spent else self.change(course, response)
            if changed is None:
                return response
            self.count(course)
            return changed

        course.changes.append(change)

    @abstractmethod
    def change(self, course: Course, response: Response) -> Response | None:
        """None to leave the answer as it is."""


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return None if pattern is None else re.compile(pattern)
