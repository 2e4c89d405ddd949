"""Showing what Relay answers: one document, or a list from its pages."""

from typing import Any

from relay_cli.command import Session
from relay_cli.words import moment


def collected(
    session: Session, path: str, name: str, limit: int | None, **query: str
) -> list[dict[str, Any]]:
    """The items of all pages up to the limit. With --json it prints them, and the next cursor."""
    found: list[dict[str, Any]] = []
    after = None
    for page in session.relay.pages(path, name, limit, **query):
        found += page[name]
        after = page.get("next")
    if session.screen.json:
        session.screen.document({name: found} | ({"next": after} if after else {}))
    elif after:
        session.screen.note(f"There may be more than these {len(found):,}. Use --limit or --all.")
    return found


def show_document(session: Session, document: dict[str, Any]) -> None:
    """A workspace or a container."""
    if session.screen.json:
        session.screen.document(document)
        return
    names = {"id": "id", "name": "name", "url": "url", "avatarUrl": "avatar"}
    rows = [(shown, document.get(name) or "") for name, shown in names.items()]
    session.screen.fields([*rows, ("updated", moment(document.get("lastUpdatedDate") or ""))])
