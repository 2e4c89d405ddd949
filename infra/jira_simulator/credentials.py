"""The two credentials that the REST APIs take, and what of them is switched off at a site."""

from enum import StrEnum
from typing import Any

from .validation import Rule

ON, OFF = "on", "off"
_CLIENT_KEY_PROPERTY = "clientKeyProperty"


class Credential(StrEnum):
    """Connect's is a token signed with the shared secret, Forge's a system token."""

    CONNECT = "connect"
    FORGE = "forge"


_SWITCHES = Rule(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{credential: {"enum": [ON, OFF, 401, 403]} for credential in Credential},
            _CLIENT_KEY_PROPERTY: {"enum": [ON, OFF]},
        },
    }
)


class Switches:
    """Everything is on until a change says otherwise."""

    def __init__(self) -> None:
        self._states: dict[str, str | int] = dict.fromkeys([*Credential, _CLIENT_KEY_PROPERTY], ON)

    def document(self) -> dict[str, Any]:
        return dict(self._states)

    def merge(self, changes: Any) -> None:
        """All that `changes` names or, with a Refusal, nothing of it."""
        _SWITCHES.require(changes)
        self._states.update(changes)

    def status(self, credential: Credential) -> int | None:
        """What calls with this credential are answered while it is off; None while it is on."""
        state = self._states[credential]
        if state == ON:
            return None
        return state if isinstance(state, int) else 401

    @property
    def client_key_property(self) -> bool:
        return self._states[_CLIENT_KEY_PROPERTY] == ON
