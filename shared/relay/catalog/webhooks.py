"""Whom a workspace wants told of associations: a URL, and the secret that signs what is sent."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from relay.entities.fields import Document, Url
from relay.errors import BadRequest, Detail
from relay.outbound.addresses import is_exempt, is_never_public
from relay.secrets import EncryptedSecret, Secrets
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Standard Webhooks: 24 to 64 bytes, in base64, behind this prefix.
SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix, and no secret)
_SECRET_BYTES = range(24, 65)


def _https(url: str) -> str:
    parts = urlsplit(url)
    # An empty user name is one, too: which host is meant must be beyond doubt.
    if parts.scheme != "https" or "@" in parts.netloc or parts.fragment:
        raise PydanticCustomError("https_url", "Input should be an https URL without user name")
    return url


def _secret(secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in _SECRET_BYTES:
        raise PydanticCustomError(
            "webhook_secret", "Input should be 'whsec_' and 24 to 64 bytes in base64"
        )
    return secret


class WebhookDocument(Document):
    url: Annotated[Url, AfterValidator(_https)]
    secret: Annotated[str, Field(max_length=200, repr=False), AfterValidator(_secret)]


def check_webhook_host(url: str, test_origins: Iterable[str]) -> None:
    """Raises BadRequest where the URL's host is no public one by its very name or address.

    Any other host is looked up when it is called: its addresses may change at any time.
    """
    parts = urlsplit(url)
    host = unquote(parts.hostname or "")
    if is_never_public(host) and not is_exempt(host, parts.port or 443, test_origins):
        rule = Detail("url", "public_host", "Input should have a public host")
        raise BadRequest("This is not a URL that Relay calls.", [rule])


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    secret: str = field(repr=False)


class WebhookStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._table = Table(dynamodb, table)
        self._secrets = secrets

    def put(self, workspace_id: str, document: WebhookDocument) -> None:
        secret = self._secrets.encrypt(_owner(workspace_id), document.secret)
        self._table.put(
            {
                "pk": f"workspace#{workspace_id}",
                "sk": "webhook",
                "url": document.url,
                "secret": secret.ciphertext,
                "secretKey": secret.data_key,
            }
        )

    def get(self, workspace_id: str) -> Webhook | None:
        item = self._table.get(f"workspace#{workspace_id}", "webhook")
        if item is None:
            return None
        encrypted = EncryptedSecret(item["secret"], item["secretKey"])
        return Webhook(item["url"], self._secrets.decrypt(_owner(workspace_id), encrypted))

    def url_of(self, workspace_id: str) -> str | None:
        item = self._table.get(f"workspace#{workspace_id}", "webhook")
        return str(item["url"]) if item else None

    def delete(self, workspace_id: str) -> None:
        """Deleting what is not there is fine."""
        self._table.write_all(deletes=[(f"workspace#{workspace_id}", "webhook")])


def _owner(workspace_id: str) -> dict[str, str]:
    return {"workspaceId": workspace_id}
