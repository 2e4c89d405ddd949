"""The layer as AWS has it: unpacked once, for all functions.

MiniStack unpacks a layer for each cold start, which takes longer than the start itself. What is
deployed here is a layer of one file that points to the unpacked one, in a copy of the build that
stays as long as the stack.
"""

import os
import shutil
from pathlib import Path

from infra.local.build import PYTHON_VERSION
from infra.local.failure import StackFailure

LAYER = "SharedLayer"
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


def _pointing(template: Path) -> Path:
    text = template.read_text()
    unpacked = f"ContentUri: {LAYER}\n"
    if unpacked not in text:
        raise StackFailure(f"The built template has no layer {LAYER}.")
    # The copy shares its files with the build, so the changed one has to be a new file.
    template.unlink()
    template.write_text(text.replace(unpacked, "ContentUri: LayerPointer\n"))
    return template


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
