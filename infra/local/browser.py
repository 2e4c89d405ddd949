"""The machine's own Chromium or Chrome."""

import os
import shutil

from infra.local.failure import StackFailure

# Names another browser of this family; otherwise, the first of these commands is used.
VARIABLE = "RELAY_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser_path() -> str | None:
    """The path of the browser; None without one. Raises StackFailure if the variable names none."""
    named = os.environ.get(VARIABLE)
    if not named:
        return next(filter(None, map(shutil.which, NAMES)), None)
    path = shutil.which(named)
    if path is None:
        raise StackFailure(f"{VARIABLE} is {named}, which is not a program on this machine.")
    return path
