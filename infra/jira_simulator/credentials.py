"""The two credentials that the REST APIs accept, and a site's switches that disable them."""

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
    """A site's switches; all are on by default."""

    def __init__(self) -> None:
        self._states: dict[str, str | int] = dict.fromkeys([*Credential, _CLIENT_KEY_PROPERTY], ON)

    def document(self) -> dict[str, Any]:
        """The state of each switch, by name."""
        return dict(self._states)

    def merge(self, changes: Any) -> None:
        """Sets the given switches. Raises a Refusal (400) and changes nothing if one is invalid."""
        _SWITCHES.require(changes)
        self._states.update(changes)

    def status(self, credential: Credential) -> int | None:
        """The error status for calls with this credential; None if it is on."""
        state = self._states[credential]
        if state == ON:
            return None
        return state if isinstance(state, int) else 401

    @property
    def client_key_property(self) -> bool:
        """Whether the app property with the clientKey can be read."""
        return self._states[_CLIENT_KEY_PROPERTY] == ON
