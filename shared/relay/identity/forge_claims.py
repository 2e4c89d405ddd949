"""The claims of a Forge Invocation Token, typed as Forge documents them."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.entities.document import details_of
from relay.errors import Unauthenticated

# Ids and names may become part of a DynamoDB key, whose length is limited.
Name = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
_ACCOUNT_ID = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class _Claims(BaseModel):
    """Ignores the claims that Relay does not use; the user's identity is not stored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)


class Environment(_Claims):
    """The app's environment; `type` is such as `PRODUCTION`."""

    type: Name
    id: Name


class Module(_Claims):
    """The module of the app's manifest that the token was made for."""

    type: Name
    key: Name


class AppInstallation(_Claims):
    """The installation; its id must equal `App.installationId`."""

    id: Name


class App(_Claims):
    """The app and its installation; `apiBaseUrl` is the base URL of the site's Jira."""

    id: Name
    installationId: Name
    apiBaseUrl: str
    appVersion: Name
    environment: Environment
    module: Module
    installation: AppInstallation | None = None


class Context(_Claims):
    """The site of an invocation; triggers may omit it."""

    cloudId: str | None = None


class ForgeClaims(_Claims):
    """The claims that Relay uses, times in epoch seconds. PyJWT checks `iss` and `aud`."""

    iat: int
    nbf: int
    exp: int
    jti: str = Field(min_length=1)
    app: App
    context: Context | None = None
    principal: Any = None
    icLabel: str | None = Field(default=None, pattern=r"^[a-z0-9_-]{1,50}$")

    @property
    def account_id(self) -> str | None:
        """The user's account; None if the token names no user."""
        is_id = isinstance(self.principal, str) and _ACCOUNT_ID.fullmatch(self.principal)
        return self.principal if is_id else None


def parse_claims(payload: dict[str, Any]) -> ForgeClaims:
    """Parse a payload. Raises Unauthenticated, naming the wrong claims without their values."""
    try:
        return ForgeClaims.model_validate(payload)
    except ValidationError as error:
        wrong = "; ".join(f"{one.path}: {one.rule}" for one in details_of(error))
        raise Unauthenticated(f"wrong claims: {wrong}") from None
