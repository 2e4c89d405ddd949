"""API Gateway's event as the request that a verifier sees, and the JSON that it carries."""

import base64
import binascii
import zlib
from urllib.parse import urlsplit

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from relay.edge.path import check_sent_path, ids_in_path
from relay.entities.document import check_size
from relay.errors import BadRequest, Detail, UnsupportedMedia
from relay.identity.caller import Request

_GZIP = 16 + zlib.MAX_WBITS
# RFC 9110 has recipients take the older name for the same.
_GZIP_NAMES = ("gzip", "x-gzip")


def request_of(
    event: APIGatewayProxyEventV2, base_url: str, template_path: str
) -> tuple[Request, dict[str, str]]:
    """The request as it stood on the wire, and the ids in its path, by their names in the template.

    `base_url` is empty where API Gateway's is the app's. Raises BadRequest for a path that is not
    the one that API Gateway matched.
    """
    path, ids = _path_and_ids(event, base_url, template_path)
    request = Request(
        method=event.http_method,
        raw_path=path,
        raw_query=event.raw_query_string,
        headers={name.lower(): value for name, value in event.headers.items()},
        base_url=base_url or _gateway_url(event),
        body=_raw_body(event),
    )
    check_sent_path(request.headers, path)
    return request, ids


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


def _path_and_ids(
    event: APIGatewayProxyEventV2, base_url: str, template_path: str
) -> tuple[str, dict[str, str]]:
    """The path below the app's base URL, whose own is a named stage's, or a custom domain's."""
    base_path = urlsplit(base_url).path.rstrip("/") or f"/{event.request_context.stage}"
    for path in (event.raw_path, event.raw_path.removeprefix(base_path)):
        ids = ids_in_path(template_path, event.path_parameters, path)
        if ids is not None:
            return path, ids
    rule = Detail("", "path", "The ids that API Gateway matched, filled into the route's path")
    raise BadRequest("The path is not the one that API Gateway matched.", [rule])
