"""Large entities, with the maximum number of texts of maximum length."""

import hashlib

from relay.entities.fields import ASSOCIATION_VALUES_MAX, ID_MAX, LIST_MAX, TEXT_MAX

LONGEST_ID = ID_MAX
IDS = [f"{number:03}".rjust(ID_MAX, "c") for number in range(LIST_MAX)]
# Characters that JSON escapes. Each has four bytes in the record, which stores JSON within JSON.
_ESCAPED = str.maketrans("01234567", '"\\' * 4)
# Characters of four bytes. Only some are used: the emulated DynamoDB counts twelve bytes, not four.
_WIDE = {ord(digit): 0x1F600 + place for place, digit in enumerate("0123456789abcdef")}
_WIDE_EVERY = 16


def texts(seed: str, share: float) -> list[str]:
    """The given share of the maximum number of texts, drawn from `seed`."""
    return [_text(f"{seed}/{n}", n) for n in range(int(ASSOCIATION_VALUES_MAX * share))]


def _text(seed: str, number: int) -> str:
    digits = hashlib.shake_256(seed.encode()).hexdigest(TEXT_MAX // 2 + 1)[:TEXT_MAX]
    return digits.translate(_ESCAPED if number % _WIDE_EVERY else _WIDE)
