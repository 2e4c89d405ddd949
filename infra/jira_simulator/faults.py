"""What may come between a call of the REST API and its answer.

The one place for faults: everything a call does happens inside `proceed`. To refuse a call, answer
without calling it; to lose an answer, call it and return something else.
"""

import asyncio
from collections.abc import Callable

from starlette.responses import Response

from .settings import Settings
from .sites import Site
from .wire import WireCall


async def answer(
    settings: Settings,
    site: Site,  # noqa: ARG001
    call: WireCall,  # noqa: ARG001
    proceed: Callable[[], Response],
) -> Response:
    """Answer a call, as late as the settings want it."""
    try:
        await asyncio.sleep(settings.answer_delay_seconds)
    except asyncio.CancelledError:
        # The simulator is being stopped, and so is a Jira that answers 503.
        return Response(status_code=503)
    return proceed()
