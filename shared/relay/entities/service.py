"""A service that an operations tool names, which becomes a container of the workspace."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownService:
    """`id`, `name` and `url` are those of the container; `changed_at` is when the tool named it, in
    microseconds since 1970."""

    id: str
    name: str
    url: str
    changed_at: int
