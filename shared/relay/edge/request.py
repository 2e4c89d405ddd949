"""API Gateway's event as the request that a verifier sees: its path, the ids in it, and its body.

API Gateway decodes a path once, except `%25`, and then matches the routes: `{id}` matches no slash,
even an encoded one, and `{id+}` matches any. The event has the decoded path in `rawPath`, after the
base path of a custom domain or a named stage, the route in `routeKey`, and the matched ids in
`pathParameters`, in which `%25` may be decoded or not. Whether a decoded `?` cuts `rawPath` off is
not documented. MiniStack decodes and matches in the same way, and keeps `%25` in both.
"""

import base64
import re
import zlib
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from relay.entities.document import check_size
from relay.errors import BadRequest, Detail, UnsupportedMedia
from relay.identity.caller import Request

# The path as its caller encoded it, so that Relay can check that the same path arrived.
PATH_HEADER = "x-relay-path"
_PARAMETER = re.compile(r"{(\w+)\+?}")
_GZIP = 16 + zlib.MAX_WBITS
# RFC 9110 asks recipients to accept the older name, too.
_GZIP_NAMES = ("gzip", "x-gzip")


def request_of(
    event: APIGatewayProxyEventV2, base_url: str, template_path: str
) -> tuple[Request, dict[str, str]]:
    """The request as it was sent, and the ids in its path, by their names in the template.

    `base_url` is empty if API Gateway's URL is the app's. Raises BadRequest for a path that is not
    the one that API Gateway matched, or a body that is not base64.
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
    """The body of a verified caller, decompressed if it is gzip.

    Raises UnsupportedMedia unless its Content-Type is JSON, TooLarge for more than `bytes_max`
    bytes, BadRequest for bad gzip.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type != "application/json":
        raise UnsupportedMedia("The Content-Type must be application/json.")
    if encoding not in ("identity", *_GZIP_NAMES):
        raise UnsupportedMedia("The Content-Encoding must be gzip or absent.")
    body = _inflated(request.body, bytes_max) if encoding in _GZIP_NAMES else request.body
    check_size(body, bytes_max)
    return body


def _raw_body(event: APIGatewayProxyEventV2) -> bytes:
    body = event.body or ""
    if not event.is_base64_encoded:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body)
    except ValueError:
        raise BadRequest("The body is not valid base64.") from None


def _inflated(body: bytes, bytes_max: int) -> bytes:
    inflater = zlib.decompressobj(_GZIP)
    try:
        # One byte more than the limit proves that the body is too large.
        inflated = inflater.decompress(body, bytes_max + 1)
    except zlib.error:
        raise BadRequest(
            "The body is not gzip.", [Detail("", "gzip", "Not a gzip stream")]
        ) from None
    if len(inflated) <= bytes_max and not inflater.eof:
        raise BadRequest(
            "The gzip body is incomplete.", [Detail("", "gzip", "The stream ends early")]
        )
    if inflater.unused_data:
        # gzip allows more members; Relay must not drop them silently.
        rule = Detail("", "gzip", "One member, with nothing after it")
        raise BadRequest("The gzip body has data after its end.", [rule])
    return inflated


def _gateway_url(event: APIGatewayProxyEventV2) -> str:
    context = event.request_context
    stage = "" if context.stage == "$default" else f"/{context.stage}"
    return f"https://{context.domain_name}{stage}"


def _path_and_ids(
    event: APIGatewayProxyEventV2, base_url: str, template_path: str
) -> tuple[str, dict[str, str]]:
    """The path without the base path of a custom domain or a named stage, and its ids."""
    base_path = urlsplit(base_url).path.rstrip("/") or f"/{event.request_context.stage}"
    for path in (event.raw_path, event.raw_path.removeprefix(base_path)):
        ids = ids_in_path(template_path, event.path_parameters, path)
        if ids is not None:
            return path, ids
    rule = Detail("", "path", "The route's path, with the ids that API Gateway matched")
    raise BadRequest("The path does not match the ids that API Gateway found.", [rule])


def ids_in_path(
    template_path: str, matched: Mapping[str, str], raw_path: str
) -> dict[str, str] | None:
    """The path's ids by their names in the template; None if the matched ids, filled into the
    template's path, do not give `raw_path`: the call could address another resource.

    Raises BadRequest for a path that was decoded twice or is not UTF-8.
    """
    ids = {name: matched.get(name, "") for name in _PARAMETER.findall(template_path)}
    path = _PARAMETER.sub(lambda parameter: ids[parameter[1]], template_path)
    if _decoded(path) != _decoded(raw_path):
        return None
    if "%" in raw_path.replace("%25", "") or "\ufffd" in raw_path:
        rule = Detail("", "path", "UTF-8, percent-encoded once")
        raise BadRequest("The path is not percent-encoded unambiguously.", [rule])
    return {name: _decoded(value) for name, value in ids.items()}


def check_sent_path(headers: Mapping[str, str], raw_path: str) -> None:
    """Raises BadRequest if the header `x-relay-path` names another path."""
    sent = headers.get(PATH_HEADER)
    if sent is not None and unquote(sent) != _decoded(raw_path):
        rule = Detail(PATH_HEADER, "path", "The path below the base URL, percent-encoded once")
        raise BadRequest("The path that arrived is not the one in `x-relay-path`.", [rule])


def _decoded(path: str) -> str:
    return path.replace("%25", "%")
