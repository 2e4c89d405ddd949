"""Who visits a site's admin area, and how they see it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..validation import Rule


class Visitor(StrEnum):
    """A site's two users: only the first is a Jira admin."""

    ADMIN = "admin"
    USER = "user"


class Theme(StrEnum):
    """Jira's theme, which the pages of apps follow."""

    LIGHT = "light"
    DARK = "dark"


class Tokens(StrEnum):
    """Whether the tokens for a page's own calls are valid, or expired when it gets them."""

    VALID = "valid"
    EXPIRED = "expired"


_CHOICES = {"as": Visitor, "theme": Theme, "tokens": Tokens}
_CHANGES = Rule(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"enum": list(choice)} for name, choice in _CHOICES.items()},
    }
)


@dataclass(frozen=True)
class Visit:
    """One visit of the admin area."""

    visitor: Visitor = Visitor.ADMIN
    theme: Theme = Theme.LIGHT
    tokens: Tokens = Tokens.VALID

    def changed(self, changes: Any) -> "Visit":
        """The visit with these changes. Raises a Refusal (400)."""
        _CHANGES.require(changes)
        return Visit(
            Visitor(changes.get("as", self.visitor)),
            Theme(changes.get("theme", self.theme)),
            Tokens(changes.get("tokens", self.tokens)),
        )

    def document(self) -> dict[str, str]:
        """The visit as a query of the admin area's URL names it."""
        return {
            "as": self.visitor.value,
            "theme": self.theme.value,
            "tokens": self.tokens.value,
        }


def _account_ids() -> dict[Visitor, str]:
    return {visitor: secrets.token_hex(12) for visitor in Visitor}


@dataclass
class AdminArea:
    """A site's users by their account ids, and what a visit is like unless its URL says more."""

    account_ids: dict[Visitor, str] = field(default_factory=_account_ids)
    usual: Visit = field(default_factory=Visit)

    def visit(self, query: Mapping[str, str]) -> Visit:
        """The visit of a URL with this query. Raises a Refusal (400)."""
        return self.usual.changed({name: query[name] for name in _CHOICES if name in query})

    def users(self) -> dict[str, bool]:
        """The users' account ids, each with whether it administers the site."""
        return {self.account_ids[visitor]: visitor is Visitor.ADMIN for visitor in Visitor}

    def document(self) -> dict[str, Any]:
        """The area as the control endpoint returns it."""
        ids = {visitor.value: account_id for visitor, account_id in self.account_ids.items()}
        return {"accountIds": ids, **self.usual.document()}
