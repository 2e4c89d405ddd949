"""The admin page's own files, and the headers with which Jira may show the page in a frame."""

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from relay.edge.answer import Answer
from relay.tenants.tenant import Tenant

_ALL_JS = "{{all_js}}"
_MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class PageFiles:
    """The files in `folder`, read once. `all_js_url` is Atlassian's script for framed pages."""

    def __init__(self, folder: Path, all_js_url: str) -> None:
        html = (folder / "index.html").read_text("utf-8")
        self._html = html.replace(_ALL_JS, escape(all_js_url))
        self._script_origin = _origin_of(all_js_url)
        self._files = {
            path.name: Answer(
                200, path.read_text("utf-8"), {"Content-Type": _MEDIA_TYPES[path.suffix]}
            )
            for path in folder.iterdir()
            if path.suffix in _MEDIA_TYPES
        }

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
            {"Content-Type": "text/html; charset=utf-8"},
            content_security_policy="; ".join(f"{name} {value}" for name, value in policy.items()),
        )

    def file(self, name: str) -> Answer:
        """A file, the same for everyone. Raises KeyError for an unknown one."""
        return self._files[name]


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
