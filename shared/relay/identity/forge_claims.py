"""The claims of a Forge Invocation Token: the types that Forge's contract gives them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.entities.document import details_of
from relay.errors import Unauthenticated

# Ids and names may become part of a DynamoDB key, which has its own limit.
Name = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]


class _Claims(BaseModel):
    """Forge sends more, and may send others yet; who the user is, is not kept."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)


class Environment(_Claims):
    type: Name
    id: Name


class Module(_Claims):
    type: Name
    key: Name


class AppInstallation(_Claims):
    id: Name


class App(_Claims):
    id: Name
    installationId: Name
    apiBaseUrl: str
    appVersion: Name
    environment: Environment
    module: Module
    installation: AppInstallation | None = None


class Context(_Claims):
    """What an invocation is about; a trigger's may leave out all of it."""

    cloudId: str | None = None


class ForgeClaims(_Claims):
    """Of iss and aud no more is said here: the library compares them with what is expected."""

    iat: int
    nbf: int
    exp: int
    jti: str = Field(min_length=1)
    app: App
    context: Context | None = None
    principal: Any = None
    icLabel: str | None = Field(default=None, pattern=r"^[a-z0-9_-]{1,50}$")


def parse_claims(payload: dict[str, Any]) -> ForgeClaims:
    """Raises Unauthenticated, with the claims that are wrong by name and none of their values."""
    try:
        return ForgeClaims.model_validate(payload)
    except ValidationError as error:
        wrong = "; ".join(f"{one.path}: {one.rule}" for one in details_of(error))
        raise Unauthenticated(f"wrong claims: {wrong}") from None
