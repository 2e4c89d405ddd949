"""The admin page's own files, and the headers with which Jira may show the page in a frame."""

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from relay.edge.answer import Answer, text_answer
from relay.tenants.tenant import Tenant

_ALL_JS = "{{all_js}}"
# Under Forge, a file beside the others takes its place (see `relay forge manifest`).
_FORGE_JS = "page/forge.js"
_HTML = "text/html; charset=utf-8"
_MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class PageFiles:
    """The files in `folder`, read once. `all_js_url` is Atlassian's script for framed pages."""

    def __init__(self, folder: Path, all_js_url: str) -> None:
        html = (folder / "index.html").read_text("utf-8")
        self._html = html.replace(_ALL_JS, escape(all_js_url))
        self._script_origin = _origin_of(all_js_url)
        self._files = {
            path.name: text_answer(200, _MEDIA_TYPES[path.suffix], path.read_text("utf-8"))
            for path in folder.iterdir()
            if path.suffix in _MEDIA_TYPES
        }
        self._files["forge.html"] = text_answer(200, _HTML, html.replace(_ALL_JS, _FORGE_JS))

    def page(self, tenant: Tenant) -> Answer:
        """The page, which holds no data; only the site's own Jira may show it in a frame."""
        policy = {
            "default-src": "'none'",
            "script-src": f"'self' {self._script_origin}",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "frame-ancestors": _origin_of(tenant.base_url),
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        return Answer(
            200,
            self._html,
            {"Content-Type": _HTML},
            content_security_policy="; ".join(f"{name} {value}" for name, value in policy.items()),
        )

    def file(self, name: str) -> Answer:
        """A file, the same for everyone. Raises KeyError for an unknown one."""
        return self._files[name]


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
