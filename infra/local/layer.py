"""Unpacks the layer once for all functions, as AWS does.

MiniStack unpacks a layer for each cold start, which takes longer than the start itself. So the
deployed layer is one file that points to the unpacked layer, in a copy of the build that lives as
long as the stack. The functions run on the Python that the layer was built for.
"""

import os
import shutil
from pathlib import Path

from infra.local.build import LAYER, PYTHON_VERSION
from infra.local.failure import StackFailure

SITE = f"python/lib/python{PYTHON_VERSION}/site-packages"


def with_mounted_layer(build: Path, folder: Path) -> Path:
    """Copies the build below `folder`, and returns the copy's template. Raises StackFailure."""
    own = folder / "build"
    shutil.copytree(build, own, copy_function=_link)
    pointer = own / "LayerPointer" / SITE
    pointer.mkdir(parents=True)
    # First in the path, which also has MiniStack's own packages.
    line = f"import sys; sys.path.insert(0, {str(own / LAYER / 'python')!r})\n"
    (pointer / "relay.pth").write_text(line)
    return _pointing(own / "template.yaml")


def _pointing(built: Path) -> Path:
    text = built.read_text()
    for found, wanted in (
        (f"ContentUri: {LAYER}\n", "ContentUri: LayerPointer\n"),
        ("    Runtime:\n      Ref: Runtime\n", f"    Runtime: python{PYTHON_VERSION}\n"),
    ):
        if found not in text:
            raise StackFailure(f"The built template has no {found.strip()}.")
        text = text.replace(found, wanted)
    # The copy's files are hard links to the build, so a changed file must be a new one.
    built.unlink()
    built.write_text(text)
    return built


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
