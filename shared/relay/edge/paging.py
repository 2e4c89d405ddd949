"""Pages of a list, limited by the caller's `limit` and by the bytes that one answer may hold."""

from collections.abc import Iterable
from typing import TypeVar

from relay.edge.answer import escaped_bytes, to_json

# For the members; the rest of Lambda's limit is for what surrounds them.
PAGE_BYTES_MAX = 5_500_000

MemberT = TypeVar("MemberT")


def page_of(
    found: Iterable[tuple[str, MemberT]], following: str | None
) -> tuple[list[MemberT], str | None]:
    """The members that fit into one answer, at least one, and the cursor of the next page.

    Each member comes with the cursor of the page that begins after it. `following` is the next
    page's cursor if all members fit; None in the last page.
    """
    page: list[MemberT] = []
    left, last = PAGE_BYTES_MAX, ""
    for cursor, member in found:
        left -= document_bytes(member)
        if page and left < 0:
            return page, last
        page.append(member)
        last = cursor
    return page, following


def document_bytes(document: object) -> int:
    """The bytes that the document adds to an answer, at most."""
    return escaped_bytes(to_json(document))
