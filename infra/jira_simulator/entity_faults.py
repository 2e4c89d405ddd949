"""The faults of single entities of a submission, decided before it is processed."""

from dataclasses import dataclass, field


@dataclass
class EntityFaults:
    """By entity id: `refused` with a message, `lost` after the answer, `unnamed` in the answer."""

    refused: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
