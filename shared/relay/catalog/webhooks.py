"""A workspace's webhook, which is notified of associations: its URL, the secret that signs the
notices, and the last attempts. A new webhook replaces all of it."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from relay import keys
from relay.entities.fields import Document, Url
from relay.errors import BadRequest, Detail
from relay.outbound.addresses import is_exempt, is_loopback, is_never_public
from relay.secrets import EncryptedSecret, Secrets
from relay.table import Item, Table, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Standard Webhooks: this prefix, then 24 to 64 bytes in base64.
SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix, not a secret)
_SECRET_BYTES = range(24, 65)
# The number of attempts shown. A stored list is cut to it when it reaches twice as many.
ATTEMPTS_SHOWN = 10
_ATTEMPTS_MAX = 20
_DEFAULT_PORTS = {"https": 443, "http": 80}
_USER_INFO = re.compile(r"(?<=://)[^/?#]*@")


def _https(url: str) -> str:
    parts = urlsplit(url)
    # Plain HTTP is for this machine, in a local stack only: see `check_webhook_host`.
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(_host(url)))
    # An empty user name is refused, too: the host must be unambiguous.
    if not safe or "@" in parts.netloc or parts.fragment:
        raise PydanticCustomError(
            "https_url", "Input should be an https URL without user name or fragment"
        )
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
    """A webhook as the operations tool sends it."""

    url: Annotated[Url, AfterValidator(_https)]
    secret: Annotated[str, Field(max_length=200, repr=False), AfterValidator(_secret)]


def check_webhook_host(url: str, test_origins: Iterable[str]) -> None:
    """Raises BadRequest if the host is not public by its name or address, without a DNS lookup.

    The addresses of other hosts are checked at each call, as they may change at any time.
    """
    parts = urlsplit(url)
    host, port = _host(url), parts.port or _DEFAULT_PORTS[parts.scheme]
    if is_never_public(host) and not is_exempt(parts.scheme, host, port, test_origins):
        rule = Detail("url", "public_host", "Input should have a public host")
        raise BadRequest("`url` must have a public host.", [rule])


def _host(url: str) -> str:
    return unquote(urlsplit(url).hostname or "")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a webhook. `id` is the notice's; `reason` is why the call failed, or "" if it
    succeeded; `status` is that of the response, if there was one."""

    id: str
    event: str
    at: str
    milliseconds: int
    status: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The URL to call, and the decrypted secret."""

    url: str
    secret: str = field(repr=False)


class WebhookStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._secrets = secrets

    def put(self, workspace_id: str, document: WebhookDocument) -> None:
        """Save the webhook in place of the workspace's current one and its attempts."""
        secret = self._secrets.encrypt(_owner(workspace_id), document.secret)
        pk, sk = keys.webhook(workspace_id)
        self._table.put(
            {
                "pk": pk,
                "sk": sk,
                "url": document.url,
                "secret": secret.ciphertext,
                "secretKey": secret.data_key,
            }
        )

    def get(self, workspace_id: str) -> Webhook | None:
        """The webhook; None if the workspace has none."""
        item = self._table.get(*keys.webhook(workspace_id))
        if item is None:
            return None
        encrypted = EncryptedSecret(item["secret"], item["secretKey"])
        return Webhook(item["url"], self._secrets.decrypt(_owner(workspace_id), encrypted))

    def url_of(self, workspace_id: str) -> str | None:
        """The webhook's URL, without decrypting the secret; None if the workspace has none."""
        item = self._table.get(*keys.webhook(workspace_id))
        return str(item["url"]) if item else None

    def shown(self, workspace_id: str) -> tuple[str | None, list[Attempt]]:
        """The webhook's URL, and its last attempts, newest first; (None, []) if there is none. A
        user name, which earlier versions allowed, is removed from the URL."""
        item = self._table.get(*keys.webhook(workspace_id))
        if item is None:
            return None, []
        attempts = map(_attempt, item.get("attempts", [])[:ATTEMPTS_SHOWN])
        return _USER_INFO.sub("", item["url"]), list(attempts)

    def note(self, workspace_id: str, url: str, attempt: Attempt) -> None:
        """Save an attempt, unless the webhook was deleted or has another URL by now."""
        values = {name: value for name, value in asdict(attempt).items() if value not in (None, "")}
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": key(*keys.webhook(workspace_id)),
            "ExpressionAttributeNames": {"#url": "url"},
            "ConditionExpression": "#url = :url",
        }
        try:
            response = self._dynamodb.update_item(
                UpdateExpression=(
                    "SET attempts = list_append(:new, if_not_exists(attempts, :none))"
                ),
                ExpressionAttributeValues=to_item({":url": url, ":new": [values], ":none": []}),
                ReturnValues="UPDATED_NEW",
                **request,
            )
            stored = len(response["Attributes"]["attempts"]["L"])
            if stored >= _ATTEMPTS_MAX:
                # New attempts may be in front meanwhile; those at these places are still old.
                old = ", ".join(f"attempts[{place}]" for place in range(ATTEMPTS_SHOWN, stored))
                self._dynamodb.update_item(
                    UpdateExpression=f"REMOVE {old}",
                    ExpressionAttributeValues=to_item({":url": url}),
                    **request,
                )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return

    def delete(self, workspace_id: str) -> None:
        """Delete the webhook and its attempts, if there is one."""
        self._table.write_all(deletes=[keys.webhook(workspace_id)])


def _attempt(values: Item) -> Attempt:
    return Attempt(
        id=values["id"],
        event=values["event"],
        at=values["at"],
        milliseconds=int(values["milliseconds"]),
        status=int(values["status"]) if "status" in values else None,
        reason=values.get("reason", ""),
    )


def _owner(workspace_id: str) -> dict[str, str]:
    return {"workspaceId": workspace_id}
