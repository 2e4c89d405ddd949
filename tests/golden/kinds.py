"""The kinds of items, from the table in `relay.keys`, which documents each of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from relay import keys
from relay.catalog.erasure import ERASING

_API_KEY = "API key"
_ERASURE = "site#<tenantId> erasure"


@dataclass(frozen=True)
class ItemKind:
    """Its name is that of its key; `pk` and `sk` are what keys of this kind match."""

    table: str
    name: str
    pk: re.Pattern[str]
    sk: re.Pattern[str]

    def includes(self, table: str, item: dict[str, Any]) -> bool:
        """Whether the item, in DynamoDB's JSON, is of this kind."""
        if table != self.table:
            return False
        places = (item.get(name, {"S": ""})["S"] for name in ("pk", "sk"))
        return all(map(re.Pattern.fullmatch, (self.pk, self.sk), places))


@cache
def item_kinds() -> list[ItemKind]:
    return [*_documented(), ItemKind("api-keys", _API_KEY, re.compile(".+"), re.compile(""))]


def kind_of(table: str, item: dict[str, Any]) -> str:
    """The name of the item's kind; fails for an item that the table does not document."""
    if ERASING in item:
        # That of a workspace is the same, but replaces the workspace's item.
        return _ERASURE
    [found] = [kind.name for kind in item_kinds() if kind.includes(table, item)]
    return found


def _documented() -> Iterator[ItemKind]:
    table = ""
    lines = [line for line in (keys.__doc__ or "").splitlines() if line.startswith("|")]
    for line in lines[2:]:
        named, pks, sks, _ = map(str.strip, line.strip("|").split("|"))
        table = named or table
        for pk in re.findall("`([^`]+)`", pks):
            written = [] if sks.startswith("see") else re.findall("`([^`]+)`", sks)
            for sk in written or ["<any>"]:
                yield ItemKind(table, f"{pk} {sk}", _pattern(pk), _pattern(sk))


def _pattern(written: str) -> re.Pattern[str]:
    parts = re.split(r"(<[^>]+>)", written)
    return re.compile(
        "".join(
            r"\d\d" if part == "<shard>" else ".+" if part.startswith("<") else re.escape(part)
            for part in parts
        ),
        re.DOTALL,
    )
