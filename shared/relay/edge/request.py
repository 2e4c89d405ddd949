"""API Gateway's event as the request that a verifier sees, and the JSON that it carries."""

import base64
import binascii
import zlib
from urllib.parse import urlsplit

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from relay.entities.document import check_size
from relay.errors import BadRequest, Detail, UnsupportedMedia
from relay.identity.caller import Request

_GZIP = 16 + zlib.MAX_WBITS
# RFC 9110 has recipients take the older name for the same.
_GZIP_NAMES = ("gzip", "x-gzip")


def request_of(event: APIGatewayProxyEventV2, base_url: str) -> Request:
    """The request as it stood on the wire; `base_url` is empty where API Gateway's is the app's."""
    return Request(
        method=event.http_method,
        raw_path=_below(base_path(base_url) or f"/{event.request_context.stage}", event.raw_path),
        raw_query=event.raw_query_string,
        headers={name.lower(): value for name, value in event.headers.items()},
        base_url=base_url or _gateway_url(event),
        body=_raw_body(event),
    )


def base_path(base_url: str) -> str:
    return urlsplit(base_url).path.rstrip("/")


def json_body(request: Request, bytes_max: int) -> bytes:
    """The JSON that a verified caller sent, out of its gzip if it has one.

    Raises UnsupportedMedia unless it is declared as JSON, TooLarge, BadRequest for a bad gzip.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type != "application/json":
        raise UnsupportedMedia("The Content-Type must be application/json.")
    if encoding not in ("identity", *_GZIP_NAMES):
        raise UnsupportedMedia("The Content-Encoding must be gzip, or none.")
    body = _inflated(request.body, bytes_max) if encoding in _GZIP_NAMES else request.body
    check_size(body, bytes_max)
    return body


def _raw_body(event: APIGatewayProxyEventV2) -> bytes:
    body = event.body or ""
    if not event.is_base64_encoded:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body)
    except binascii.Error:
        raise BadRequest("The body can't be decoded.") from None


def _inflated(body: bytes, bytes_max: int) -> bytes:
    inflater = zlib.decompressobj(_GZIP)
    try:
        # One byte more than is allowed is enough to know, however much there would be.
        inflated = inflater.decompress(body, bytes_max + 1)
    except zlib.error:
        raise BadRequest("The body is not gzip.", [Detail("", "gzip", "Cannot be read")]) from None
    if len(inflated) <= bytes_max and not inflater.eof:
        raise BadRequest("The gzip body is cut off.", [Detail("", "gzip", "Ends too early")])
    if inflater.unused_data:
        # gzip allows for more; what follows must not be dropped without a word.
        rule = Detail("", "gzip", "One member, and nothing after it")
        raise BadRequest("The gzip body goes on after its end.", [rule])
    return inflated


def _gateway_url(event: APIGatewayProxyEventV2) -> str:
    context = event.request_context
    stage = "" if context.stage == "$default" else f"/{context.stage}"
    return f"https://{context.domain_name}{stage}"


def _below(prefix: str, raw_path: str) -> str:
    """What is below the app's base URL, whose path is a named stage's, or a custom domain's."""
    return raw_path[len(prefix) :] if raw_path.startswith(prefix + "/") else raw_path
