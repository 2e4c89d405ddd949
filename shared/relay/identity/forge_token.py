"""Calls from Forge: a Forge Invocation Token (FIT), signed by Atlassian with RS256."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from relay.errors import Unauthenticated
from relay.identity.caller import PAGE_PREFIX, ForgeCaller, Request
from relay.identity.connect_token import LEEWAY_SECONDS, digest_of
from relay.identity.forge_api_url import cloud_id_of
from relay.identity.forge_claims import ForgeClaims, parse_claims
from relay.identity.forge_keys import ForgeKeys
from relay.identity.forge_modules import check_module
from relay.tenants.lifecycle import LifecycleToken

_ALGORITHM = "RS256"
_ISSUER = "forge/invocation-token"
# Forge's own tokens expire after 25 seconds.
_LIFETIME_MAX_SECONDS = 5 * 60
_TOKEN_MAX = 8192
_CHECKS: Options = {
    "require": ["iss", "aud", "iat", "nbf", "exp", "jti"],
    "verify_iss": True,
    "verify_aud": True,
    "strict_aud": True,
    "verify_iat": True,
    "verify_nbf": True,
    "verify_exp": True,
    "verify_jti": True,
}
# The token is opaque to Relay, so it only has to be valid in a header.
_SYSTEM_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}", re.ASCII)


class ForgeTokenVerifier:
    """Verifies `Authorization: Bearer <FIT>`. `app_id` is `ari:cloud:ecosystem::app/<uuid>`.

    It does not remember `jti`. Forge's tokens are valid for a minute at most, Forge itself retries
    calls, and every handler is idempotent, so a replayed token can only repeat a call. The memory
    of one Lambda would also miss the tokens that another Lambda accepted. But the token covers
    neither the body nor the system token: order calls that change something permanently by the
    caller's `token`, as Connect's lifecycle calls are.
    """

    def __init__(
        self,
        keys: ForgeKeys,
        app_id: str,
        environments: Iterable[str] = ("PRODUCTION",),
        test_api_origins: Iterable[str] = (),
    ) -> None:
        self._keys = keys
        self._app_id = app_id
        self._environments = frozenset(environments)
        self._test_api_origins = tuple(test_api_origins)

    def verify(self, request: Request) -> ForgeCaller:
        """The calling installation. Raises Unauthenticated; Unavailable if the key server fails."""
        token = _token_of(request)
        system_token = _system_token_of(request)
        kid = _kid_of(token)
        # Checks that need no key come first, so that invalid tokens can't cause key requests.
        check_module(request.raw_path, self._claims(self._unproven_payload(token)))
        key = self._keys.get(kid)
        claims = self._claims(self._proven_payload(token, key))
        caller = self._caller(token, claims, system_token)
        is_of_a_page = request.raw_path.startswith(PAGE_PREFIX)
        return replace(caller, account_id=claims.account_id) if is_of_a_page else caller

    def _unproven_payload(self, token: str) -> dict[str, Any]:
        return self._payload(token, "", {**_CHECKS, "verify_signature": False})

    def _proven_payload(self, token: str, key: RSAPublicKey) -> dict[str, Any]:
        return self._payload(token, key, {**_CHECKS, "verify_signature": True})

    def _payload(self, token: str, key: RSAPublicKey | str, options: Options) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=self._app_id,
                leeway=LEEWAY_SECONDS,
                options=options,
            )
        except jwt.InvalidTokenError as error:
            raise _refused(error) from None

    def _claims(self, payload: dict[str, Any]) -> ForgeClaims:
        claims = parse_claims(payload)
        _check_lifetime(claims)
        self._check_app(claims)
        _check_context(claims, self._cloud_id(claims))
        return claims

    def _cloud_id(self, claims: ForgeClaims) -> str:
        return cloud_id_of(claims.app.apiBaseUrl, self._test_api_origins)

    def _caller(self, token: str, claims: ForgeClaims, system_token: str | None) -> ForgeCaller:
        return ForgeCaller(
            installation_id=claims.app.installationId,
            cloud_id=self._cloud_id(claims),
            api_base_url=claims.app.apiBaseUrl,
            app_version=claims.app.appVersion,
            token=LifecycleToken(claims.iat, digest_of(token)),
            system_token=system_token,
        )

    def _check_app(self, claims: ForgeClaims) -> None:
        if claims.icLabel is not None:
            raise Unauthenticated("the token is from an Isolated Cloud, which is not configured")
        app = claims.app
        if app.id != self._app_id:
            raise Unauthenticated("app.id names another app")
        if app.installation is not None and app.installation.id != app.installationId:
            raise Unauthenticated("the token names two installations")
        if app.environment.type not in self._environments:
            raise Unauthenticated("the app's environment is not accepted")


def _token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= _TOKEN_MAX:
        raise Unauthenticated("no token")
    return token


def _system_token_of(request: Request) -> str | None:
    system_token = request.headers.get("x-forge-oauth-system")
    if system_token is not None and not _SYSTEM_TOKEN.fullmatch(system_token):
        raise Unauthenticated("the system token is malformed")
    return system_token


def _kid_of(token: str) -> object:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise _refused(error) from None
    if header.get("alg") != _ALGORITHM:
        raise Unauthenticated("a Forge Invocation Token must be signed with RS256")
    return header.get("kid")


def _refused(error: jwt.InvalidTokenError) -> Unauthenticated:
    """Give the error's type only: its message may quote the token."""
    return Unauthenticated(f"the token is refused: {type(error).__name__}")


def _check_lifetime(claims: ForgeClaims) -> None:
    if not 0 <= claims.exp - claims.iat <= _LIFETIME_MAX_SECONDS:
        raise Unauthenticated("the token's lifetime is too long")


def _check_context(claims: ForgeClaims, cloud_id: str) -> None:
    named = claims.context.cloudId if claims.context is not None else None
    if named is not None and named != cloud_id:
        raise Unauthenticated("the token names two sites")
