"""Renders the Markdown of an entity's description as safe HTML.

Raw HTML is escaped, a link must be http or https, and an image becomes a link: the page loads
nothing from other hosts.
"""

import re
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

_WEB_URL = re.compile(r"https?://", re.IGNORECASE)


def is_web_url(url: str) -> bool:
    """Whether the URL is http or https."""
    return bool(_WEB_URL.match(url))


@lru_cache(maxsize=2000)
def render_markdown(text: str) -> Markup:
    # Safe: the parser below escapes all HTML in the text.
    """Renders CommonMark with tables and strikethrough as safe HTML."""
    return Markup(_PARSER.render(text))  # noqa: S704


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return is_web_url(url)


def _open_link(
    renderer: RendererHTML, tokens: list[Token], index: int, options: Any, environment: Any
) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return renderer.renderToken(tokens, index, options, environment)


_PARSER = _Parser("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.disable("image")
_PARSER.add_render_rule("link_open", _open_link)
