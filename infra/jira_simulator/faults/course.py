"""One call, and what the faults that fall on it make of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from ..entity_faults import EntityFaults
from ..schemas import Kind
from ..sites import Site
from ..wire import WireCall
from .unanswered import Unanswered

# Takes the ids of a submission; a Refusal ends the call.
EntityChoice = Callable[[list[str], EntityFaults], None]
Change = Callable[[Response], Response]


@dataclass
class Course:
    """`early` is answered instead of carrying the call out, after `delay_seconds` all the same.

    `choices` say which entities of the submission have a fault, `changes` make another answer of
    the real one. `kinds` names the faults that had an effect.
    """

    site: Site
    operation: str
    call: WireCall
    delay_seconds: float = 0.0
    early: Response | None = None
    choices: list[EntityChoice] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    @property
    def fault(self) -> str | None:
        return ", ".join(self.kinds) or None

    def entity_faults(self, body: Any) -> EntityFaults:
        """What befalls the entities in `body`; a Refusal where a fault refuses all of it."""
        faults = EntityFaults()
        if self.choices:
            ids = _submitted_ids(body)
            for choose in self.choices:
                choose(ids, faults)
        return faults

    async def answer(self, delay_seconds: float, proceed: Callable[[], Response]) -> Response:
        """Everything the call does happens inside `proceed`."""
        try:
            await asyncio.sleep(delay_seconds + self.delay_seconds)
        except asyncio.CancelledError:
            # The simulator is being stopped, and so is a Jira that answers 503.
            return Response(status_code=503)
        if self.early is not None:
            return self.early
        response = proceed()
        for change in self.changes:
            if isinstance(response, Unanswered):
                break
            response = change(response)
        return response


def _submitted_ids(body: Any) -> list[str]:
    """Also of a body that is yet to be found wrong."""
    document = body if isinstance(body, dict) else {}
    entities = [
        entity
        for kind in Kind
        for entity in _items(document.get(kind.collection))
        if isinstance(entity, dict)
    ]
    return [entity["id"] for entity in entities if isinstance(entity.get("id"), str)]


def _items(collection: Any) -> list[Any]:
    return collection if isinstance(collection, list) else []
