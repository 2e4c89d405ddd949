"""Reading the items of a workspace's entities in the record's order, from any entity on."""

from collections.abc import Iterator, Sequence

from relay import keys
from relay.entities.model import EntityKey, Kind
from relay.table import Item, Table


def items_after(
    table: Table,
    shards: keys.Shards,
    after: EntityKey | None,
    limit: int,
    kind: Kind | None = None,
    *,
    attributes: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Iterator[Item]:
    """The items after `after`: of this kind, or of all; at most `limit`, or with 0 all.

    `attributes` and `without` are as for `Table.query`. Raises TABLE_ERRORS.
    """
    kinds = [kind] if kind else list(Kind)
    if after:
        kinds = kinds[kinds.index(after.kind) :]
    left = limit
    for one in kinds:
        prefix = keys.kind_prefix(one)
        for pk, start in shards.after(after if after and after.kind is one else None):
            items = table.query(
                pk, prefix, after=start, limit=left, attributes=attributes, without=without
            )
            for item in items:
                yield item
                left -= 1 if limit else 0
            if limit and left == 0:
                return
