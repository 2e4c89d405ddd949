"""Tags: the end of an entity's id determines its faults at every site.

All workspaces have the same ids, as the workspaces of real operations tools may have.
"""

PLAIN = "-plain"
PARTLY_KNOWN = "-part"  # one of its two projects is unknown
UNKNOWN = "-nowhere"  # its only project is unknown
REFUSED = "-refused"
REFUSES_REQUEST = "-sour"  # the whole request is refused because of it
REFUSED_AT_TIMES = "-moody"
REFUSES_REQUEST_AT_TIMES = "-bitter"
LARGE = "-large"

# Every request with such an entity fails, and no other request: see `jira_faults`.
WALLED = "-walled"
PAGED = "-paged"
BARRED = "-barred"
CRASHING = "-crashing"
CUT = "-cut"
CUT_AFTER = "-gone"
POISONS = (WALLED, PAGED, BARRED, CRASHING, CUT, CUT_AFTER)
# Appended to a tag whose fault ends with the trouble.
_WHILE_TROUBLED = "awhile"

_EVERY_HUNDRED = {
    0: PARTLY_KNOWN,
    1: PARTLY_KNOWN,
    2: UNKNOWN,
    3: REFUSED,
    4: REFUSED_AT_TIMES,
    5: REFUSED_AT_TIMES,
}
_EVERY_THOUSAND = {7: REFUSES_REQUEST, 508: REFUSES_REQUEST_AT_TIMES}


def while_troubled(poison: str) -> str:
    """The variant of a tag whose fault ends with the trouble."""
    return poison + _WHILE_TROUBLED


# Most are neighbors, one is isolated, and 9 and 29 are reviews.
_POISONED = dict(zip((29, 11, 12, 13, 14, 15), POISONS, strict=True))
_POISONED |= dict(zip((16, 17, 9, 18, 19, 20), map(while_troubled, POISONS), strict=True))
_POISONED[712] = WALLED
_RARE = _POISONED | dict.fromkeys(range(30, 39), LARGE)


def tag_for(number: int) -> str:
    """The tag of the entity with this number in its workspace."""
    rare = _RARE.get(number % 2000) or _EVERY_THOUSAND.get(number % 1000)
    return rare or _EVERY_HUNDRED.get(number % 100, PLAIN)


def tag_of(entity_id: str) -> str:
    """The tag in an entity's id."""
    return entity_id[entity_id.rfind("-") :]
