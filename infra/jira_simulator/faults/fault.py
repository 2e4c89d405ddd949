"""A call with its faults, and the base classes of faults."""

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
# Called with a submission's ids; a Refusal ends the call.
EntityChoice = Callable[[list[str], EntityFaults], None]
AnswerChange = Callable[[Response], Response]


@dataclass
class Course:
    """A call and the effects of its faults.

    `id_in_path` is the id of the call's one entity. `early` replaces the processing of the call,
    also after `delay_seconds`. `choices` select the faulty entities of a submission, `changes`
    change Jira's answer, and `headers` are added to every answer. `is_unanswered` ends the changes.
    `kinds` names the faults that had an effect.
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
        """The kinds of the effective faults, separated by commas; None if there are none."""
        return ", ".join(self.kinds) or None

    @cached_property
    def submitted(self) -> list[str]:
        """The ids of the entities in the body, which may be invalid."""
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
        """The ids of all entities in the call's body or path."""
        return self.submitted if self.id_in_path is None else [self.id_in_path]

    @cached_property
    def text(self) -> str:
        """The decoded path and query, and the body as received."""
        return f"{unquote(self.call.target)}\n{self.call.body.decode(errors='replace')}"

    def entity_faults(self) -> EntityFaults:
        """The faults of the submitted entities; raises a Refusal if one refuses the request."""
        faults = EntityFaults()
        for choose in self.choices:
            choose(self.submitted, faults)
        return faults

    async def answer(self, delay_seconds: float, proceed: Callable[[], Response]) -> Response:
        """Returns the call's answer; `proceed` processes the call."""
        try:
            await asyncio.sleep(delay_seconds + self.delay_seconds)
        except asyncio.CancelledError:
            # The simulator stops: answer like a Jira that stops.
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

    `parameters` is its validated document; `set_at` is when the list was set, in seconds of the
    monotonic clock. A subclass defines its kind, the schema of its own parameters, and its effect.
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
        """Applies the fault if it matches the call and is drawn for it."""
        if self._is_for(course) and not self.spent and self.is_drawn():
            self.apply(course)

    def is_drawn(self) -> bool:
        """Draws a random number against `rate`."""
        return self.rng.random() < self.rate

    def is_for_entity(self, entity_id: str) -> bool:
        """Whether `ids` or `pattern` match the id; without both, the fault is for all entities."""
        if self._is_for_all or entity_id in self._ids:
            return True
        return self._pattern is not None and self._pattern.search(entity_id) is not None

    @property
    def spent(self) -> bool:
        """Whether it has affected its maximum number of calls."""
        return bool(self._times_left <= 0)

    def count(self, course: Course) -> None:
        """Counts an affected call; subclasses call it when the fault takes effect."""
        self._times_left -= 1
        course.kinds.append(self.kind)

    @abstractmethod
    def apply(self, course: Course) -> None:
        """Writes the effect into the course."""

    def _is_for(self, course: Course) -> bool:
        if self._operations is not None and course.operation not in self._operations:
            return False
        if self._text is not None and self._text.search(course.text) is None:
            return False
        return self._is_for_all or any(self.is_for_entity(one) for one in course.ids)


class EarlyAnswer(Fault):
    """Answers the call instead of processing it."""

    def apply(self, course: Course) -> None:
        if (response := self.answer(course)) is not None:
            self.count(course)
            course.early = response

    @abstractmethod
    def answer(self, course: Course) -> Response | None:
        """Returns the answer, or None to let the call pass."""


class ChangedAnswer(Fault):
    """Changes the answer of a processed call."""

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
        """Returns the new answer, or None to leave it unchanged."""


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return None if pattern is None else re.compile(pattern)
