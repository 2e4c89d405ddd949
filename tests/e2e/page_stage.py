"""The admin page in a real browser, inside the simulator's admin area."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Frame,
    FrameLocator,
    Locator,
    Page,
    sync_playwright,
)

from infra.local.story import Story

# Chromium's own words, which no page can prevent.
_ERROR_ANSWER = "error: Failed to load resource: the server responded with a status of "
SECONDS = 20
_WATCH_THE_BAR = """() => {
  window.shownByTheBar = [];
  const watch = () => {
    const bar = document.querySelector("progress");
    if (bar && bar.value !== shownByTheBar.at(-1)) shownByTheBar.push(bar.value);
  };
  new MutationObserver(watch).observe(document, {
    subtree: true, childList: true, attributes: true,
  });
}"""


@dataclass
class AppPage:
    """The page of the app in one tab. `console` has what the browser wrote for developers."""

    tab: Page
    console: list[str] = field(default_factory=list)

    @property
    def content(self) -> FrameLocator:
        """The document in the frame."""
        return self.tab.frame_locator("iframe")

    @property
    def frame(self) -> Frame:
        """The frame itself."""
        [frame] = self.tab.main_frame.child_frames
        return frame

    def button(self, name: str) -> Locator:
        """A button of the page by its name."""
        return self.content.get_by_role("button", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        """A heading of the page by its text."""
        return self.content.get_by_role("heading", name=name)

    def values_of_the_bar(self) -> Callable[[], list[float]]:
        """What the progress bar has shown from now on, in order."""
        self.frame.evaluate(_WATCH_THE_BAR)
        return lambda: list(self.frame.evaluate("window.shownByTheBar"))

    def brightness(self) -> float:
        """Of the page's background: 0 is black, 255 is white."""
        color = self.content.locator("body").evaluate(
            "body => getComputedStyle(body).backgroundColor"
        )
        channels = [float(part) for part in re.findall(r"[0-9.]+", color)[:3]]
        return sum(channels) / 3

    def serious_violations(self) -> list[str]:
        """What axe finds that keeps people with a disability from using the page."""
        found = Axe().run(self.frame).response["violations"]
        return [
            f"{rule['id']}: {rule['help']}: {node['html']}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]


@contextmanager
def started_browser(path: str) -> Iterator[Browser]:
    """The browser at `path`, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visits:
    """Opens the admin areas of sites, each visit in a new tab.

    `expected` are the statuses with which a test makes Relay refuse calls of the page.
    """

    browser: Browser
    opened: list[AppPage] = field(default_factory=list)
    expected: tuple[int, ...] = ()

    @property
    def unexpected(self) -> list[str]:
        """What the browser has written to the consoles, but for expected statuses."""
        expected = tuple(f"{_ERROR_ANSWER}{status} " for status in self.expected)
        console = [line for page in self.opened for line in page.console]
        return [line for line in console if not line.startswith(expected)]

    def open(
        self, story: Story, visitor: str = "admin", theme: str = "light", width: int = 1280
    ) -> AppPage:
        """The page of the story's site, as one of the users whom the simulator knows."""
        tab = self.browser.new_page(viewport={"width": width, "height": 900})
        tab.set_default_timeout(SECONDS * 1000)
        page = AppPage(tab)
        tab.on("console", lambda message: page.console.append(_line(message)))
        tab.on("pageerror", lambda error: page.console.append(f"error: {error}"))
        self.opened.append(page)
        query = urlencode({"as": visitor, "theme": theme})
        tab.goto(f"{story.tenancy.page}/admin?{query}")
        return page

    def close(self) -> None:
        """Closes the tabs. What they showed last is printed, for the report of a failed test."""
        for page in self.opened:
            print(page.frame.inner_text("body"), page.console)
            page.tab.close()


def first_url_of(story: Story) -> str:
    """A URL of the frame in the site's admin area, with a token that no browser has used."""
    area = httpx.get(f"{story.tenancy.page}/admin", trust_env=False).raise_for_status().text
    [url] = re.findall(r'<iframe[^>]* src="([^"]+)"', area)
    return unescape(url)


def _line(message: ConsoleMessage) -> str:
    return f"{message.type}: {message.text} at {message.location['url']}"
