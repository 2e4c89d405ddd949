"""Putting any number of containers, in as many calls as Relay's limits ask for."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from relay_cli.api import Relay, workspace_path
from relay_cli.failure import Failure
from relay_cli.feed import compact

# Relay accepts 1000. It indexes each from every character of its name, and a call has 20 seconds.
CONTAINERS_PER_CALL = 200
# Half of Relay's limit, because replaced names count as well.
NAMES_CHARACTERS_PER_CALL = 12_800
# Relay's limit for the body of a list of containers.
_CONTAINERS_BYTES_MAX = 1024 * 1024


def put_all(relay: Relay, workspace_id: str, containers: Sequence[Any]) -> int:
    """Puts the containers and returns their number. Raises Failure; repeating is safe."""
    return sum(_put(relay, workspace_id, part) for part in _parts(containers))


def _put(relay: Relay, workspace_id: str, part: list[Any]) -> int:
    """Puts the containers and returns their number. Halves the part if it is too large for a call:
    the names that it replaces count, and only Relay knows them."""
    try:
        answer = relay.document(
            "POST",
            workspace_path(workspace_id, "containers"),
            document={"containers": part},
            repeatable=True,
        )
    except Failure as failure:
        if failure.status != httpx.codes.REQUEST_ENTITY_TOO_LARGE or len(part) == 1:
            raise
        middle = len(part) // 2
        halves = (part[:middle], part[middle:])
        return sum(_put(relay, workspace_id, half) for half in halves)
    return int(answer["put"])


def _parts(containers: Sequence[Any]) -> Iterator[list[Any]]:
    """The containers, split by Relay's limits for number, bytes and characters of names."""
    part: list[Any] = []
    size = characters = 0
    for container in containers:
        length, name = len(compact(container)) + 1, _name_length(container)
        if part and (
            len(part) == CONTAINERS_PER_CALL
            or size + length > _CONTAINERS_BYTES_MAX - 100
            or characters + name > NAMES_CHARACTERS_PER_CALL
        ):
            yield part
            part, size, characters = [], 0, 0
        part.append(container)
        size += length
        characters += name
    if part:
        yield part


def _name_length(container: Any) -> int:
    """About the length of the name as Relay indexes it; 0 for anything but a container."""
    name = container.get("name") if isinstance(container, dict) else None
    return len(unicodedata.normalize("NFKD", name)) if isinstance(name, str) else 0
