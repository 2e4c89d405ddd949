"""The ids in a path, as API Gateway matched them.

API Gateway decodes a path once, except `%25`, and then matches the routes: `{id}` matches no slash,
even an encoded one, and `{id+}` matches any. The event has the decoded path in `rawPath`, after the
base path of a custom domain or a named stage, the route in `routeKey`, and the matched ids in
`pathParameters`, in which `%25` may be decoded or not. Whether a decoded `?` cuts `rawPath` off is
not documented. MiniStack decodes and matches in the same way, and keeps `%25` in both.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from relay.errors import BadRequest, Detail

# The path as its caller encoded it, so that Relay can check that the same path arrived.
PATH_HEADER = "x-relay-path"
_PARAMETER = re.compile(r"{(\w+)\+?}")


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
