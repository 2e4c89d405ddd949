"""The settings, given at the start and changed by the control endpoint."""

from dataclasses import dataclass
from typing import Any

from .validation import Rule

FORGOTTEN = "forgotten"
REMEMBERED = "remembered"

_FIELDS = {
    "visibleAfterSeconds": "visible_after_seconds",
    "maxBodyBytes": "max_body_bytes",
    "answerDelaySeconds": "answer_delay_seconds",
    "sequencesAfterDeletion": "sequences_after_deletion",
    "forgeTimeoutSeconds": "forge_timeout_seconds",
    "systemTokenSeconds": "system_token_seconds",
}

_CHANGES = Rule(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "visibleAfterSeconds": {"type": "number", "minimum": 0},
            "maxBodyBytes": {"type": "integer", "minimum": 1},
            "answerDelaySeconds": {"type": "number", "minimum": 0},
            "sequencesAfterDeletion": {"enum": [FORGOTTEN, REMEMBERED]},
            "forgeTimeoutSeconds": {"type": "number", "exclusiveMinimum": 0},
            "systemTokenSeconds": {"type": "number", "minimum": 0},
        },
    }
)


@dataclass
class Settings:
    """The settings of all sites.

    `visible_after_seconds`: the delay after its 202 until GETs and pages show a change.
    `max_body_bytes`: a larger request body is answered with 413; Jira does not document a limit.
    `answer_delay_seconds`: added before every answer of the REST API.
    `sequences_after_deletion`: whether an entity that is deleted from now on is stored again with
    any sequence ("forgotten"), or only with a greater one ("remembered").
    `forge_timeout_seconds`: how long Forge waits for a remote, except for an uninstall.
    `system_token_seconds`: the lifetime of the system tokens that Forge issues from now on.
    """

    visible_after_seconds: float = 0.2
    max_body_bytes: int = 5 * 1024 * 1024
    answer_delay_seconds: float = 0.0
    sequences_after_deletion: str = FORGOTTEN
    forge_timeout_seconds: float = 5.0
    system_token_seconds: float = 4 * 3600.0

    def document(self) -> dict[str, Any]:
        """All settings, by their names in the control endpoint."""
        return {name: getattr(self, attribute) for name, attribute in _FIELDS.items()}

    def merge(self, changes: Any) -> None:
        """Changes the given settings. Raises a Refusal (400) and changes none if one is invalid."""
        _CHANGES.require(changes)
        for name, value in changes.items():
            setattr(self, _FIELDS[name], value)
