"""The ids in a path, as API Gateway matched them."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from relay.errors import BadRequest, Detail

# The path as its caller encoded it, by whoever wants to be certain that it arrives as it was sent.
PATH_HEADER = "x-relay-path"
_PARAMETER = re.compile(r"{(\w+)\+?}")


def ids_in_path(
    template_path: str, matched: Mapping[str, str], raw_path: str
) -> dict[str, str] | None:
    """The path's ids by their names in the template; None where the path is another one.

    API Gateway decodes a path before it matches it, percent signs excepted (`%25`). It may cut off
    the raw path at a `?` that it decoded, or decode twice: `matched`, filled into the template's
    path, has to give the raw path, or the call could address what nobody asked for.
    """
    ids = {name: matched.get(name, "") for name in _PARAMETER.findall(template_path)}
    path = _PARAMETER.sub(lambda parameter: ids[parameter[1]], template_path)
    if _decoded(path) != _decoded(raw_path):
        return None
    if "%" in raw_path.replace("%25", "") or "\ufffd" in raw_path:
        rule = Detail("", "path", "UTF-8, percent-encoded once")
        raise BadRequest("The path can't be decoded for certain.", [rule])
    return {name: _decoded(value) for name, value in ids.items()}


def check_sent_path(headers: Mapping[str, str], raw_path: str) -> None:
    """Raises BadRequest where the caller says that it sent another path."""
    sent = headers.get(PATH_HEADER)
    if sent is not None and unquote(sent) != _decoded(raw_path):
        rule = Detail(PATH_HEADER, "path", "The path below the base URL, percent-encoded once")
        raise BadRequest("The path was changed on its way.", [rule])


def _decoded(path: str) -> str:
    return path.replace("%25", "%")
