"""Pages of a list: cut by the count that the caller asks for, and by what one answer may hold."""

import json
from collections.abc import Iterable
from typing import Any

from relay.edge.answer import escaped_bytes

# Of an answer; the rest is for what stands around the list.
PAGE_BYTES_MAX = 5_500_000


def page_document(
    name: str, found: Iterable[tuple[str, dict[str, Any]]], following: str | None
) -> dict[str, Any]:
    """As many of `found` as fit into one answer, but one in any case, as the list `name`.

    Each comes with the cursor of the page that begins after it; `next` is that of the last one in
    the page, or `following` where all of them are in it.
    """
    page: list[dict[str, Any]] = []
    left, last = PAGE_BYTES_MAX, ""
    for cursor, document in found:
        left -= document_bytes(document)
        if page and left < 0:
            following = last
            break
        page.append(document)
        last = cursor
    return {name: page} | ({"next": following} if following else {})


def document_bytes(document: dict[str, Any]) -> int:
    return escaped_bytes(json.dumps(document, ensure_ascii=False))
