"""What stands for an entity in the keys of the record."""

from relay.entities import EntityKey, Kind

# So short that an id of 255 characters of four bytes stays within the 1,024 bytes of a sort key.
_PREFIXES = {Kind.INCIDENT: "inc", Kind.REVIEW: "rev"}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}


def sort_key(entity: EntityKey) -> str:
    return f"{_PREFIXES[entity.kind]}#{entity.id}"


def entity_of(sk: str) -> EntityKey:
    prefix, _, entity_id = sk.partition("#")
    return EntityKey(_KINDS[prefix], entity_id)
