"""The layer as AWS has it: unpacked once, for all functions.

MiniStack unpacks a layer for each cold start, which takes longer than the start itself. What is
deployed here is a layer of one file that points to the unpacked one, in a copy of the build that
stays as long as the stack; and the functions run on the Python that it was built for.
"""

import os
import shutil
from pathlib import Path

from infra.lambdas.template import template
from infra.local.build import LAYER, PYTHON_VERSION
from infra.local.failure import StackFailure

SITE = f"python/lib/python{PYTHON_VERSION}/site-packages"


def with_mounted_layer(build: Path, folder: Path) -> Path:
    """Puts a copy of the build below `folder`; returns its template."""
    own = folder / "build"
    shutil.copytree(build, own, copy_function=_link)
    pointer = own / "LayerPointer" / SITE
    pointer.mkdir(parents=True)
    # Before MiniStack's own packages, which are in the function's path, too.
    line = f"import sys; sys.path.insert(0, {str(own / LAYER / 'python')!r})\n"
    (pointer / "relay.pth").write_text(line)
    return _pointing(own / "template.yaml")


def _pointing(built: Path) -> Path:
    text = built.read_text()
    runtime = template()["Globals"]["Function"]["Runtime"]
    for found, wanted in (
        (f"ContentUri: {LAYER}\n", "ContentUri: LayerPointer\n"),
        (f"Runtime: {runtime}\n", f"Runtime: python{PYTHON_VERSION}\n"),
    ):
        if found not in text:
            raise StackFailure(f"The built template has no {found.strip()}.")
        text = text.replace(found, wanted)
    # The copy shares its files with the build, so the changed one has to be a new file.
    built.unlink()
    built.write_text(text)
    return built


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
