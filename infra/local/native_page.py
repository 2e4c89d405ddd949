"""The page's files as Forge gets them: the HTML, and beside it a folder with the others."""

import shutil
from pathlib import Path

from infra.local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
HTML = "index.html"


def native_page(folder: Path) -> dict[str, str]:
    """Writes the files below `folder`, and returns the manifest's page for the simulator."""
    resource = folder / "native-page"
    shutil.copytree(
        STATIC, resource / "page", ignore=shutil.ignore_patterns(HTML), dirs_exist_ok=True
    )
    shutil.copy(STATIC / HTML, resource)
    return {"title": "Relay", "resource": str(resource)}
