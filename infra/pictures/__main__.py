"""`make pictures`: starts a stack with the demo's data, and writes `docs/pictures/`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from infra.local.browser import VARIABLE, browser_path
from infra.local.failure import StackFailure, reported
from infra.local.paths import ROOT
from infra.local.story import Story
from infra.pictures import dashboard
from infra.pictures.scene import JIRAS_WORDS, scene
from infra.pictures.terminal import session

FOLDER = ROOT / "docs" / "pictures"
WIDTH = 1200
BYTES_MAX = 150_000
SECONDS = 30
COMMANDS = (
    ("submit", "operations", "examples/incidents.jsonl"),
    ("status", "operations", "inc-02490"),
)


def main() -> int:
    """Writes all pictures. Exit code: 0, or 1 if a part fails or a picture is too large."""
    path = browser_path()
    if path is None:
        raise StackFailure(
            f"There is no Chromium or Chrome. Install one, or name it in {VARIABLE}."
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    dashboard.main()
    with scene() as story, opened(path) as new_tab:
        for name, height, take in (
            ("incidents.png", 760, _incidents),
            ("admin-light.png", 1080, _admin("light")),
            ("admin-dark.png", 1080, _admin("dark")),
        ):
            with new_tab(height) as tab:
                take(story, tab)
                tab.screenshot(path=FOLDER / name)
        (FOLDER / "terminal.svg").write_text(session(story, COMMANDS), "utf-8")
    return _report(sorted(FOLDER.iterdir()))


@contextmanager
def opened(path: str) -> Iterator[Callable[[int], Page]]:
    """Opens tabs of the browser at `path`, each of a height in pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        expect.set_options(timeout=SECONDS * 1000)
        yield lambda height: browser.new_page(viewport={"width": WIDTH, "height": height})
        browser.close()


def _incidents(story: Story, tab: Page) -> None:
    tab.goto(story.tenancy.page)
    expect(tab.get_by_role("table")).to_be_visible()


def _admin(theme: str) -> Callable[[Story, Page], None]:
    def take(story: Story, tab: Page) -> None:
        tab.goto(f"{story.tenancy.page}/admin?theme={theme}")
        content = tab.frame_locator("iframe")
        expect(content.get_by_role("heading", name="Linked workspaces")).to_be_visible()
        expect(content.get_by_text(JIRAS_WORDS).first).to_be_visible()
        expect(content.locator(f'html[data-color-mode="{theme}"]')).to_be_attached()

    return take


def _report(pictures: list[Path]) -> int:
    sizes = {picture: picture.stat().st_size for picture in pictures}
    for picture, size in sizes.items():
        print(f"{picture.relative_to(ROOT)}: {size:,} bytes")
    too_large = [picture.name for picture, size in sizes.items() if size > BYTES_MAX]
    if too_large:
        print(f"Larger than {BYTES_MAX:,} bytes: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(reported(main))
