"""One call and what faults make of it; what all faults have in common."""

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
from .transport import Unanswered

Parameters = dict[str, Any]
Schema = dict[str, Any]
# Takes the ids of a submission; a Refusal ends the call.
EntityChoice = Callable[[list[str], EntityFaults], None]
Change = Callable[[Response], Response]


@dataclass
class Course:
    """`early` is answered instead of carrying the call out, after `delay_seconds` all the same.

    `id_in_path` is that of the one entity which the call is about. `choices` say which entities of
    the submission have a fault, `changes` make another answer of the real one, and `headers` are
    added to any answer. `kinds` names the faults that had an effect.
    """

    site: Site
    operation: str
    call: WireCall
    id_in_path: str | None = None
    delay_seconds: float = 0.0
    early: Response | None = None
    choices: list[EntityChoice] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)

    @property
    def fault(self) -> str | None:
        return ", ".join(self.kinds) or None

    @cached_property
    def submitted(self) -> list[str]:
        """The ids of the entities in the body, which may yet be found wrong."""
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
        """Of every entity that the call is about."""
        return self.submitted if self.id_in_path is None else [self.id_in_path]

    @cached_property
    def text(self) -> str:
        """The path and the query, decoded, and the body as it came."""
        return f"{unquote(self.call.target)}\n{self.call.body.decode(errors='replace')}"

    def entity_faults(self) -> EntityFaults:
        """What befalls the submitted entities; a Refusal where a fault refuses all of them."""
        faults = EntityFaults()
        for choose in self.choices:
            choose(self.submitted, faults)
        return faults

    async def answer(self, delay_seconds: float, proceed: Callable[[], Response]) -> Response:
        """Everything the call does happens inside `proceed`."""
        try:
            await asyncio.sleep(delay_seconds + self.delay_seconds)
        except asyncio.CancelledError:
            # The simulator is being stopped, and so is a Jira that answers 503.
            return Response(status_code=503)
        response = self.early or self._changed(proceed())
        response.headers.update(self.headers)
        return response

    def _changed(self, response: Response) -> Response:
        for change in self.changes:
            if isinstance(response, Unanswered):
                break
            response = change(response)
        return response


class Fault(ABC):
    """One fault of a list, at one site. `parameters` is its document, already checked.

    A subclass names its kind, gives the schema of its own parameters, and says what it does to a
    call. `set_at` is when the list was set, on the monotonic clock.
    """

    kind: ClassVar[str]
    schema: ClassVar[Schema] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Parameters, lots: Random, set_at: float) -> None:
        self.parameters = parameters
        self.lots = lots
        self.set_at = set_at
        self.rate: float = parameters.get("rate", 1)
        self._operations = parameters.get("operations")
        self._times_left = parameters.get("times", float("inf"))
        self._ids = frozenset(parameters.get("ids", ()))
        self._pattern = _compiled(parameters.get("pattern"))
        self._text = _compiled(parameters.get("text"))
        self._is_for_all = "ids" not in parameters and "pattern" not in parameters

    def strike(self, course: Course) -> None:
        """Befall the call, if the fault is meant for it and the lot falls on it."""
        if self._is_for(course) and not self.spent and self.falls():
            self.befall(course)

    def falls(self) -> bool:
        return self.lots.random() < self.rate

    def is_for_entity(self, entity_id: str) -> bool:
        if self._is_for_all or entity_id in self._ids:
            return True
        return self._pattern is not None and self._pattern.search(entity_id) is not None

    @property
    def spent(self) -> bool:
        """It has had its effect on as many calls as it may."""
        return bool(self._times_left <= 0)

    def count(self, course: Course) -> None:
        """To be called where the fault has its effect."""
        self._times_left -= 1
        course.kinds.append(self.kind)

    @abstractmethod
    def befall(self, course: Course) -> None:
        """Write into the call's course what is to become of it."""

    def _is_for(self, course: Course) -> bool:
        if self._operations is not None and course.operation not in self._operations:
            return False
        if self._text is not None and self._text.search(course.text) is None:
            return False
        return self._is_for_all or any(self.is_for_entity(one) for one in course.ids)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return None if pattern is None else re.compile(pattern)
