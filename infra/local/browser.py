"""The machine's own Chromium or Chrome."""

import os
import shutil

# Names another browser of this family; otherwise, the first of these commands is used.
VARIABLE = "RELAY_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser_path() -> str | None:
    """The path of the browser; None without one."""
    named = os.environ.get(VARIABLE)
    return named or next(filter(None, map(shutil.which, NAMES)), None)
